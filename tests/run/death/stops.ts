/** @file Prints how soon a stop is heard: `npx tsx tests/run/death/stops.ts`. Each row is a process of its own. */
import { Place } from './harness.ts'
import { STAGES, stopAt } from './stages.ts'

const place = new Place()
await place.record()
const [signals = ['SIGINT', 'SIGTERM'], stages = Object.keys(STAGES)] = process.argv
  .slice(2)
  .map((list) => list.split(','))
process.stdout.write(
  '| signal | stage | ms to stop | moved after | ms to end | code | message |\n| --- | --- | --- | --- | --- | --- | --- |\n',
)
for (const signal of signals as NodeJS.Signals[])
  for (const stage of stages) {
    const { code, lines, stopAfter, endAfter, movedAfterStop } = await stopAt(place, stage, signal)
    const ms = (value: number | null) => (value === null ? 'never' : value.toFixed(0))
    process.stdout.write(
      `| ${[signal, stage, ms(stopAfter), movedAfterStop, ms(endAfter), code, lines.join(' / ')].join(' | ')} |\n`,
    )
  }
