/** @file `duet doctor`: is everything here that a run needs, and how fast is it? */
import { availableParallelism, freemem, totalmem } from 'node:os'
import { type Command, Option } from 'commander'
import ort from 'onnxruntime-node'
import { compile, DEVICES, type Device, input, matmul, ParameterStore } from '../graph/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { Workcell } from '../robots/workcell/workcell.ts'
import { MODELS } from '../vla/hub/catalogue.ts'
import { processorLacks } from '../vla/int8/means.ts'
import type { CheckResult } from './doctor-check.ts'
import { examineEncoder, examineFiles, TIMED } from './doctor-encoders.ts'

const OLDEST_NODE = 20
const LEAST_MEMORY = 4 // GiB: replay, learner and simulator of a default run
const STEPS = 40

type Finding = { check: string } & CheckResult
type Options = { device: Device; json?: boolean }

export function register(program: Command): void {
  program
    .command('doctor')
    .description(
      'checks Node, memory, onnxruntime, the optimiser kernel, MuJoCo and the encoders that are here; times them',
    )
    .addOption(new Option('--device <name>', 'where the encoders run').choices(DEVICES).default('cpu'))
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet doctor
  duet doctor --device webgpu
  duet doctor --json

The exit code is 1 if a check fails; a warning (!) is no failure.
`,
    )
    .action(run)
}

async function run(options: Options): Promise<void> {
  const checks: Record<string, Examination> = {
    node,
    cores,
    memory,
    onnxruntime: () => onnxruntime(options.device),
    'int8 encoders': bytes,
    'optimiser kernel': kernel,
    MuJoCo: mujoco,
    ...Object.fromEntries(MODELS.map((model) => [`files of ${model}`, () => examineFiles(model)])),
    ...Object.fromEntries(TIMED.map((name) => [`${name} encoder`, () => examineEncoder(name, options.device)])),
  }
  const findings: Finding[] = []
  for (const [check, examine] of Object.entries(checks)) findings.push(...(await attempt(check, examine)))
  const ok = findings.every((finding) => finding.ok)
  if (options.json) process.stdout.write(`${JSON.stringify({ ok, checks: findings })}\n`)
  else {
    const rows = findings.map(({ check, ok, warning, found }) => [
      `${ok ? (warning ? '!' : '✓') : '✗'} ${check}`,
      found,
    ])
    const widest = Math.max(...rows.map(([name]) => name!.length))
    process.stdout.write(`${rows.map(([name, found]) => `${name!.padEnd(widest)}  ${found}`).join('\n')}\n`)
  }
  if (!ok) process.exitCode = 1
}

/** Undefined: there is nothing to say. */
type Examination = () => Promise<CheckResult | undefined> | CheckResult

/** A check that throws has failed, and its message says why. */
async function attempt(check: string, examine: Examination): Promise<Finding[]> {
  try {
    const verdict = await examine()
    return verdict ? [{ check, ...verdict }] : []
  } catch (error) {
    return [{ check, ok: false, found: error instanceof Error ? error.message : String(error) }]
  }
}

function node() {
  const ok = Number(process.versions.node.split('.')[0]) >= OLDEST_NODE
  return { ok, found: `${process.versions.node}${ok ? '' : `; install Node ${OLDEST_NODE} or newer`}` }
}

const cores = () => ({ ok: true, found: `${availableParallelism()} for this process` })

function memory() {
  const [total, free] = [totalmem(), freemem()].map((bytes) => bytes / 2 ** 30)
  const ok = total! >= LEAST_MEMORY
  const remedy = ok ? '' : `; a default run wants ${LEAST_MEMORY} GiB, lower replay.capacity`
  return { ok, found: `${total!.toFixed(1)} GiB, ${free!.toFixed(1)} GiB free${remedy}` }
}

/** Compiles and runs a product whose value is known, where the encoders are to run. */
async function onnxruntime(device: Device) {
  const [a, b] = [input('a', [1, 2]), input('b', [2, 1])]
  const program = await compile({ name: 'doctor', outputs: { product: matmul(a, b) }, device })
  program.set('a', [3, 4])
  program.set('b', [5, 6])
  await program.run()
  const product = program.outputs.product![0]
  await program.release()
  const names = (bundled: boolean) =>
    ort
      .listSupportedBackends()
      .filter((backend) => backend.bundled === bundled)
      .map(({ name }) => name)
      .join(', ')
  const found = `encoders run on ${device}; ${ort.env.versions.node ?? ort.env.versions.common}, providers: ${names(true)}; with their libraries: ${names(false) || 'none'}`
  return product === 39 ? { ok: true, found } : { ok: false, found: `${found}; computed ${product} where 39 is right` }
}

/** Whether precision=int8 would be what it says. */
function bytes() {
  const lacks = processorLacks()
  return {
    ok: true,
    found: lacks ? `no, precision=int8 becomes f32: ${lacks}` : 'yes, this processor multiplies bytes',
  }
}

/** One Adam step from gradient 1 moves a parameter by the learning rate. */
function kernel() {
  const store = new ParameterStore({ doctor: { tensors: { x: [4] }, trained: true } })
  store.flat('doctor', 'gradient').fill(1)
  store.adam('doctor', { learningRate: 0.5 })
  const moved = store.flat('doctor', 'value')[0]
  const ok = Math.abs(moved! + 0.5) < 1e-6
  return { ok, found: ok ? 'built, SIMD' : `moved a parameter by ${moved} where -0.5 is right; run npm run build` }
}

async function mujoco() {
  const workcell = await Workcell.create()
  try {
    await workcell.reset('place', 0)
    const action = new Float32Array(ACTION_WIDTH)
    for (let step = 0; step < STEPS; step++) await workcell.step(action) // compiles
    const start = performance.now()
    for (let step = 0; step < STEPS; step++) await workcell.step(action)
    const rate = (1000 * STEPS) / (performance.now() - start)
    return {
      ok: true,
      found: `workcell steps, ${rate.toFixed(0)} control steps/s with both cameras (10 are real time)`,
    }
  } finally {
    workcell.free()
  }
}
