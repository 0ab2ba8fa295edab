/**
 * @file A person whose hand is on the robot all the time, and moves it to and fro: there is always a motion for a fault to end.
 * Arguments: address of the console, of the truth, kind of robot, task, demonstrations that the run waits for.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Bot } from '../../tests/console/bot.ts'
import { Page } from '../../tests/console/page.ts'
import { minderOf } from './minders.ts'
import { TruthChannel } from './truth.ts'

const [address, truthAddress, kind, task, wanted] = process.argv.slice(2) as [string, string, string, string, string]
const INPUT_EVERY = 33 // ms
const TURNS_EVERY = 1500 // ms
const PUSH = 0.6 // action units
const SURE = 10 // steps under the hand, and it is in motion

const truth = new TruthChannel(truthAddress)
await truth.look()
const page = await Page.open(address, { brief: true })
const minder = minderOf(kind, truth)
let seed = 0
const bot = new Bot(page, {
  done: () => truth.now.reward > 0,
  hand: () => minder.hand(),
  async lay(scene) {
    await truth.lay(scene.task, seed++)
    await truth.ask()
  },
})
await page.until('hello', () => true, 600_000)
await page.takeControl()
void bot.layScenes()
const practises = () => page.last('state')?.stage === 'practice' && page.last('state')!.episodeStep > 0
const waits = () => page.all('recording').some((told) => told.wanted !== null)
await bot.until(() => waits() || practises(), 'a run that waits, or practises')
for (let kept = page.last('recording')?.kept[task] ?? 0; kept < Number(wanted) && !practises(); )
  if (await bot.demonstrate(task)) kept++
while (!practises() && !page.closed) await sleep(INPUT_EVERY) // warm-up and evaluation take their time
const began = page.last('state')!.step
const back = () => Math.floor(performance.now() / TURNS_EVERY) % 2 === 0
for (let told = false; !page.closed; await sleep(INPUT_EVERY)) {
  bot.move(Float32Array.of(0, back() ? -PUSH : PUSH, 0, 0, 0, 0, 0))
  if (told || !practises() || page.last('state')!.step < began + SURE) continue
  told = true
  process.stdout.write('moving\n')
}
process.exit(0)
