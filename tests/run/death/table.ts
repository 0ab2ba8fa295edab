/** @file Prints the table of deaths: `npx tsx tests/run/death/table.ts`. Each row is a process of its own. */
import { HOW, type How, type Mode, Place, type When } from './harness.ts'

const MOMENTS = ['opening', 'warm-up', 'idle', 'block', 'save', 'held', 'evaluation'] as const

const place = new Place()
await place.record()
process.stdout.write(
  '| failure | moment | mode | ms to stop | moved after | ms to end | code | message |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n',
)
const [hows = HOW as readonly How[], moments = MOMENTS as readonly string[]] = process.argv
  .slice(2)
  .map((list) => list.split(','))
for (const how of hows as How[])
  for (const moment of moments)
    for (const mode of ['lock-step', 'free'] as Mode[]) process.stdout.write(await row(how, moment, mode))

async function row(how: How, moment: string, mode: Mode): Promise<string> {
  const cued = moment === 'held' || moment === 'evaluation'
  const running = place.start({ how, mode, when: cued ? 'cue' : (moment as When), console: moment === 'held' })
  if (moment === 'held') {
    const page = await running.page()
    await running.says('evaluation, step 0: 1 of 1')
    await page.takeControl()
    page.send({ kind: 'pause' })
    await page.until('robot', ({ status }) => status === 'paused')
    running.cue()
  }
  if (moment === 'evaluation') {
    await running.says(/warm-up: 4 of 4/)
    running.cue()
  }
  const { code, lines, stopAfter, endAfter, movedAfterStop } = await running.outcome()
  const ms = (value: number | null) => (value === null ? 'never' : value.toFixed(0))
  return `| ${[how, moment, mode, ms(stopAfter), movedAfterStop, ms(endAfter), code, lines.join(' / ')].join(' | ')} |\n`
}
