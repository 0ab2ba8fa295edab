/**
 * @file `npm run bench`: all figures as a table; `npm run bench -- --json <part>`: one part as one JSON object;
 * `npm run bench -- gpu --device <name>`: that part on another device than CUDA's, on the CPU as a rehearsal.
 */
import { parseArgs } from 'node:util'
import { InputError } from '../src/errors.ts'
import { DEVICES, type Device } from '../src/graph/index.ts'
import { formatTable } from '../src/metrics/summary.ts'
import { benchAct } from './act.ts'
import { benchCameras } from './cameras.ts'
import { benchConsole } from './console.ts'
import { benchEnv } from './env.ts'
import { benchGpu } from './gpu.ts'
import { benchGrowth } from './growth.ts'
import { benchInt8 } from './int8.ts'
import { benchLearner } from './learner.ts'
import { benchPeers } from './learner-peers.ts'
import { benchLerobot } from './lerobot.ts'
import { benchMemory } from './memory.ts'
import { benchRealtime } from './realtime.ts'
import { benchResume } from './resume.ts'
import { benchSteps } from './steps.ts'
import { benchOcto, benchSmolVla } from './vla.ts'

type Figures = Record<string, number>

/** `say`: what is no figure, a line each; apart from the JSON. */
type Asked = { device?: Device; say: (line: string) => void }

/** Parts marked `large` take minutes and a gigabyte; they run when asked for by name. */
const PARTS: Record<string, { title: string; run: (asked: Asked) => Promise<Figures>; large?: boolean }> = {
  learner: { title: 'Learner step: batch 255 over 3 tasks, critics and primary actor', run: benchLearner },
  peers: { title: 'Learner step in turn with JAX and PyTorch, where python3 has them', run: benchPeers, large: true },
  steps: { title: 'Training steps of preset quick: processor time, one thread', run: benchSteps },
  act: { title: 'Acting: one observation, one thread', run: benchAct },
  env: { title: 'Simulated workcell: control steps with both cameras, one core', run: benchEnv },
  memory: { title: 'One transition', run: benchMemory },
  cameras: { title: 'A camera over HTTP: 640 × 480 at 30 Hz, on loopback', run: benchCameras },
  lerobot: { title: 'A LeRobot dataset: 30 robot minutes, two pictures a step', run: benchLerobot, large: true },
  resume: {
    title: 'A resume: thirty robot minutes of log, with and without kept encodings',
    run: benchResume,
    large: true,
  },
  growth: { title: 'What grows with data, tasks, robots and hours of log', run: benchGrowth, large: true },
  console: { title: 'Console beside a training at 10 Hz, three pages', run: benchConsole, large: true },
  realtime: {
    title: 'A robot in real time at 10 Hz, a minute with and without learning',
    run: benchRealtime,
    large: true,
  },
  int8: { title: 'Int8 on a trained network: nano, on frames of the workcell', run: benchInt8, large: true },
  smolvla: { title: 'SmolVLA at the size of the published base, random weights', run: benchSmolVla, large: true },
  gpu: { title: 'Encoders and learner on a GPU', run: benchGpu, large: true },
  octo: { title: 'Octo at the size of octo-small 1.5, random weights', run: benchOcto, large: true },
}

const UNITS: [ending: RegExp, unit: string][] = [
  [/Ms$/, 'ms'],
  [/Hz$/, 'Hz'],
  [/JumpMax$/, 'm/s'],
  [/Bytes$/, 'bytes'],
  [/Seconds$/, 's'],
  [/Megabytes$/, 'MiB'],
  [/StepsPerSecond$|^stepsPerSecond$/, 'steps/s'],
  [/UpdatesPerSecond$/, 'updates/s'],
  [/^ratio$|Ratio$/, 'times'],
]

async function main(args: readonly string[]): Promise<void> {
  const { json, device, names } = readArguments(args)
  for (const name of names) {
    if (name in PARTS) continue
    const remedy = `Use one of ${Object.keys(PARTS).join(', ')}, with or without --json`
    throw new InputError('bench', `there is no part "${name}"`, remedy)
  }
  const result: Record<string, Figures> = {}
  for (const name of names.length > 0 ? names : Object.keys(PARTS).filter((part) => !PARTS[part]!.large)) {
    const { title, run } = PARTS[name]!
    if (!json) console.log(`\n${title}`)
    result[name] = await run({ device, say: json ? console.error : console.log })
    if (!json && Object.keys(result[name]).length > 0) console.log(asTable(result[name]))
  }
  if (json) console.log(JSON.stringify(result))
}

function readArguments(args: readonly string[]): { json: boolean; device?: Device; names: string[] } {
  const options = { json: { type: 'boolean', default: false }, device: { type: 'string' } } as const
  const { values, positionals: names } = parseArgs({ args: [...args], options, allowPositionals: true })
  const { json, device } = values
  if (device === undefined) return { json, names }
  if (!names.includes('gpu')) throw new InputError('bench', '--device is of the part gpu', 'Leave it out')
  if (!DEVICES.includes(device as Device))
    throw new InputError('bench', `there is no device "${device}"`, `Use one of ${DEVICES.join(', ')}`)
  return { json, names, device: device as Device }
}

function asTable(figures: Figures): string {
  const rows = Object.entries(figures).map(([name, value]) => {
    const unit = UNITS.find(([ending]) => ending.test(name))?.[1] ?? ''
    return [name, value.toLocaleString('en', { maximumFractionDigits: 6 }), unit]
  })
  return formatTable(['figure', 'value', 'unit'], rows)
}

try {
  await main(process.argv.slice(2))
  process.exit(0) // jax-js keeps its workers
} catch (error) {
  if (!(error instanceof InputError)) throw error
  console.error(error.message)
  process.exit(2)
}
