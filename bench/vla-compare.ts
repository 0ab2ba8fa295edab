/**
 * @file In a process of its own: one encoder in f32 and in int8, on the same frames of the workcell, in turn. Prints as JSON
 * how far apart they are and how long they take, alone and from two cameras to an action while a learner learns.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { type ActorSizes, actorLayouts, actorSizes } from '../src/learn/actors.ts'
import { NetworkConfig } from '../src/learn/config.ts'
import { createStore } from '../src/learn/learner.ts'
import type { ActorParameters } from '../src/learn/policy.ts'
import { Policy } from '../src/learn/policy.ts'
import { median, quantile } from '../src/metrics/statistics.ts'
import { RandomStream } from '../src/random/stream.ts'
import { ACTION_WIDTH } from '../src/robot/robot.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import { builtInCommandEncoder } from '../src/talk/embedding.ts'
import type { EncoderInput, Encoding, VlaEncoder } from '../src/vla/encoder.ts'
import type { EncoderName } from '../src/vla/encoders.ts'
import { cosine, shareOfSpread } from '../src/vla/int8/measure.ts'
import { openEncoder } from '../src/vla/open.ts'

const PRECISIONS = ['f32', 'int8'] as const
type Compared = (typeof PRECISIONS)[number]

const [name, folder, frames, acts, ...cameras] = process.argv.slice(2) as [
  EncoderName,
  string,
  string,
  string,
  ...string[],
]

const workcell = await Workcell.create()
const inputs = await look(Number(frames))
const encoders = {} as Record<Compared, VlaEncoder>
for (const precision of PRECISIONS) encoders[precision] = await openEncoder(name, { folder, cameras, precision })

const encodings: Record<Compared, Encoding[]> = { f32: [], int8: [] }
const times: Record<Compared, { clock: number; processor: number }[]> = { f32: [], int8: [] }
for (const precision of PRECISIONS) await encoders[precision].encode([inputs[0]!])
for (const input of inputs)
  for (const precision of PRECISIONS) {
    const [before, began] = [process.cpuUsage(), performance.now()]
    encodings[precision].push((await encoders[precision].encode([input]))[0]!)
    const { user, system } = process.cpuUsage(before)
    times[precision].push({ clock: performance.now() - began, processor: (user + system) / 1000 })
  }
const figures = { ...apart(), ...costs(), ...(await acting(Number(acts))) }
for (const encoder of Object.values(encoders)) await encoder.close()
workcell.free()
console.log(JSON.stringify(figures))
process.exit(0)

/** Frames of all tasks, each of another scene; a camera that the workcell has no third of shows the scene before. */
async function look(count: number): Promise<EncoderInput[]> {
  const tasks = Object.entries(workcell.spec.tasks)
  const pictures = Object.keys(workcell.spec.cameras)
  const seen: EncoderInput[] = []
  let last = await workcell.reset(tasks[0]![0], 1000)
  for (let i = 0; i < count; i++) {
    const [task, { instruction }] = tasks[i % tasks.length]!
    const now = await workcell.reset(task, i)
    const images = cameras.map((camera, which) => {
      const from = which < pictures.length ? now : last
      return [camera, from.images[pictures[which % pictures.length]!]!] as const
    })
    seen.push({ images: Object.fromEntries(images), proprio: now.proprio, instruction })
    last = now
  }
  return seen
}

/** Cosines as they are; the error of h also as a share of what frames differ in, which is what a policy sees of it. */
function apart(): Record<string, number> {
  const [wanted, got] = [encodings.f32, encodings.int8]
  const cosines = (of: (encoding: Encoding) => Float32Array) => wanted.map((one, i) => cosine(of(one), of(got[i]!)))
  return {
    hCosineLeast: Math.min(...cosines(({ h }) => h)),
    featuresCosineLeast: Math.min(...cosines(({ features }) => features)),
    hErrorOfSpread: shareOfSpread(
      got.map(({ h }) => h),
      wanted.map(({ h }) => h),
    ),
  }
}

function costs(): Record<string, number> {
  const of = (precision: Compared, what: 'clock' | 'processor') => median(times[precision].map((time) => time[what]))
  return {
    encodeMs: of('f32', 'clock'),
    int8EncodeMs: of('int8', 'clock'),
    encodeRatio: of('f32', 'clock') / of('int8', 'clock'),
    encodeProcessorMs: of('f32', 'processor'),
    int8EncodeProcessorMs: of('int8', 'processor'),
    encodeProcessorRatio: of('f32', 'processor') / of('int8', 'processor'),
  }
}

/** From pictures to the action of an untrained actor, which sees h normalised over the frames, by both encoders in turn. */
async function acting(rounds: number): Promise<Record<string, number>> {
  const commands = builtInCommandEncoder()
  const network = NetworkConfig.parse({})
  const sizes = actorSizes(network, encoders.f32.description, workcell.spec.channels.length, commands.width)
  const policy = await Policy.create(sizes, commands)
  policy.setParameters(asBegun(sizes))
  const random = new RandomStream(0, 'bench')
  const noises = inputs.map(() => random.fillNormal(new Float32Array(ACTION_WIDTH)))
  const normalise = normaliserOf(encodings.f32.map(({ h }) => h))
  const act = ({ h, features }: Encoding, i: number) =>
    policy.primary({ h: normalise(h), features: [features], proprio: inputs[i]!.proprio }, noises[i]!)
  let largest = 0
  for (const i of inputs.keys()) {
    const [a, b] = [await act(encodings.f32[i]!, i), await act(encodings.int8[i]!, i)]
    largest = Math.max(largest, ...a.map((value, k) => Math.abs(value - b[k]!)))
  }
  const beside = rounds > 0 ? await actBeside(rounds, act) : {}
  await policy.release()
  return { actionDifferenceMax: largest, ...beside }
}

/** The parameters that a run begins with. */
function asBegun(sizes: ActorSizes): ActorParameters {
  const groups = Object.entries(actorLayouts(sizes, 'dual')).map(([name, layout]) => [name, { layout, trained: false }])
  const store = createStore(Object.fromEntries(groups), 0)
  return Object.fromEntries(store.names.map((name) => [name, store.flat(name)])) as ActorParameters
}

async function actBeside(rounds: number, act: (encoding: Encoding, i: number) => Promise<unknown>) {
  const learner = fork(resolve(import.meta.dirname, 'learner-beside.ts'), { execArgv: ['--import', 'tsx'] })
  await once(learner, 'message')
  const taken: Record<Compared, number[]> = { f32: [], int8: [] }
  for (let round = 0; round < rounds; round++)
    for (const precision of PRECISIONS) {
      const i = round % inputs.length
      const began = performance.now()
      await act((await encoders[precision].encode([inputs[i]!]))[0]!, i)
      taken[precision].push(performance.now() - began)
    }
  learner.kill()
  return {
    actMedianMs: quantile(taken.f32, 0.5),
    act99Ms: quantile(taken.f32, 0.99),
    int8ActMedianMs: quantile(taken.int8, 0.5),
    int8Act99Ms: quantile(taken.int8, 0.99),
  }
}

function normaliserOf(rows: readonly Float32Array[]): (h: Float32Array) => Float32Array {
  const mean = (of: (row: Float32Array) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length
  const moments = Array.from(rows[0]!, (_, k) => {
    const centre = mean((row) => row[k]!)
    return { centre, deviation: Math.sqrt(mean((row) => (row[k]! - centre) ** 2)) + 1e-6 }
  })
  return (h) => h.map((value, k) => (value - moments[k]!.centre) / moments[k]!.deviation)
}
