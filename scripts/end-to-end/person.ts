/**
 * @file The person of a proof in real time, in a process of their own: lays scenes, shows demonstrations, watches and takes over,
 * says a word now and then, judges by what is true, stops the robot once. Ends with the run, and a line of JSON on what came of
 * each trial. Arguments: address of the console, of the truth, kind of robot, tasks, demonstrations of each.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { epochNow } from '../../src/robot/test-channel.ts'
import { Bot } from '../../tests/console/bot.ts'
import { Page } from '../../tests/console/page.ts'
import { minderOf } from './minders.ts'
import type { Report, Trial } from './report.ts'
import { TruthChannel } from './truth.ts'

const [address, truthAddress, kind, tasks, wanted] = process.argv.slice(2) as [string, string, string, string, string]
const FIRST_SEED = 1_000_000 // of evaluations; those of practice count from 0
const SPEAKS_EVERY = 4 // episodes
const STEP = 100 // ms
const STOPS_IN = 3 // the episode in which the robot is stopped once

const truth = new TruthChannel(truthAddress)
await truth.look()
const page = await Page.open(address, { brief: true })
const minder = minderOf(kind, truth)
const report: Report = { trials: [], windows: [], takeovers: 0, commands: 0, stops: 0, faults: [] }
let shown = false // all demonstrations
const scene = { laid: 0, seed: 0, judged: false, open: null as Omit<Trial, 'success'> | null }

const evaluation = () => {
  const told = page.last('evaluation')
  return told && !told.over ? told.stage : null
}

/** What came of the scene that was laid last, as it truly is. */
async function close(): Promise<void> {
  if (!scene.open) return
  const { reward } = await truth.ask()
  report.trials.push({ ...scene.open, success: reward > 0 })
  scene.open = null
}

const bot = new Bot(page, {
  done: () => truth.now.reward > 0,
  hand: () => minder.hand(),
  async lay({ task, start }) {
    await close()
    const stage = evaluation()
    const number = Number(/\d+$/.exec(start ?? '')?.[0] ?? 0)
    const seed = stage === null ? scene.seed++ : FIRST_SEED + number
    await truth.lay(task, seed)
    await truth.ask()
    Object.assign(scene, { laid: scene.laid + 1, judged: false })
    scene.open = { stage: stage ?? (shown ? 'practice' : 'demonstration'), task, seed }
  },
})

/** Watches each step: judges what is done, and takes over where it has to. */
async function watch(): Promise<void> {
  let seen = -1
  let began = -1
  let episodes = 0
  let holding = false
  for (; !page.last('ended') && !page.closed; await sleep(5)) {
    const state = page.last('state')
    const practising = state?.stage === 'practice'
    if (!state || (!practising && state.stage !== 'evaluation') || state.step === seen) continue
    seen = state.step
    if (began !== scene.laid) {
      began = scene.laid
      holding = false
      minder.begin(state.task)
      if (practising) episodes++
    }
    if (state.episodeStep === 0 || scene.judged) continue
    if (state.episodeStep === 1) report.windows.push({ from: epochNow() - STEP, to: 0 })
    const window = report.windows.at(-1)
    if (window) window.to = epochNow()
    if (truth.now.terminated) {
      // done, or lost: a person ends that as well, before the arm goes after what lies about
      scene.judged = true
      bot.judge()
      continue
    }
    if (!practising) continue
    if (episodes === STOPS_IN && report.stops === 0 && state.episodeStep === 3) {
      report.stops++
      await bot.stopAndGoOn()
      continue
    }
    const hand = minder.tend()
    if (hand) {
      if (!holding) report.takeovers++
      bot.move(hand)
    } else if (holding) bot.letGo()
    else if (episodes % SPEAKS_EVERY === 0 && state.episodeStep === 2) {
      report.commands++
      bot.say(minder.word())
    }
    holding = hand !== undefined
  }
}

async function demonstrate(): Promise<void> {
  await bot.until(() => page.all('recording').some((told) => told.wanted !== null) || practises(), 'a run that waits')
  // by its own count: with the last one that it waits for the run goes on, and nothing is recorded any more
  for (const task of tasks.split(','))
    for (let kept = page.last('recording')?.kept[task] ?? 0; kept < Number(wanted) && !practises(); )
      if (await bot.demonstrate(task)) kept++
}
const practises = () => ['practice', 'evaluation'].includes(page.last('state')?.stage ?? '')

await page.until('hello', () => true, 600_000)
await page.takeControl()
process.stdout.write('in control\n')
const laying = bot.layScenes()
await demonstrate()
shown = true
process.stdout.write('demonstrated\n')
await Promise.all([laying, watch()])
await close()
report.faults.push(...(page.last('ended')?.error ? [page.last('ended')!.error!] : []))
process.stdout.write(`${JSON.stringify(report)}\n`)
truth.rest()
page.close()
process.exit(0)
