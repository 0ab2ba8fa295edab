/** @file What a linear map reads from nano's h and features, in the cells that it is used in: `npx tsx scripts/probe.ts [folder] [episodes]`. */

import { formatTable } from '../src/metrics/summary.ts'
import { probe, probeFrames } from '../src/pretrain/probe.ts'
import { CELL_OPTIONS } from '../src/robots/workcell/options.ts'
import { NanoEncoder } from '../src/vla/nano/encoder.ts'
import { NANO_FOLDER } from '../src/vla/nano/weights.ts'

const FIRST_SEED = 50_000
const [folder = NANO_FOLDER, episodes = '60'] = process.argv.slice(2)
const encoder = await NanoEncoder.load(folder)
const cells = { 'one bolt': {}, 'four bolts': { bolts: 4 as const }, 'cell B': CELL_OPTIONS.B }
const readings = new Map<string, string[]>()
for (const cell of Object.values(cells)) {
  const frames = await probeFrames(encoder, Number(episodes), FIRST_SEED, cell)
  for (const from of ['h', 'features'] as const)
    for (const { reading, unit, median, p90 } of probe(frames, from)) {
      const row = readings.get(reading) ?? [`${reading}, ${unit}`]
      readings.set(reading, [...row, `${median.toFixed(1)} / ${p90.toFixed(1)}`])
    }
}
await encoder.close()
const header = ['median / p90', ...Object.keys(cells).flatMap((cell) => [`${cell}, h`, 'features'])]
process.stdout.write(`${formatTable(header, [...readings.values()])}\n`)
