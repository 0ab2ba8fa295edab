/** @file What a linear map can read from an encoder on frames of the three tasks, which play never showed: millimetres and degrees. */
import { RandomStream } from '../random/stream.ts'
import { expertAction } from '../robots/workcell/expert.ts'
import { OPERATIONS } from '../robots/workcell/operations.ts'
import type { WorkcellOptions } from '../robots/workcell/options.ts'
import { TASKS } from '../robots/workcell/tasks/index.ts'
import { Workcell } from '../robots/workcell/workcell.ts'
import type { Encoding, VlaEncoder } from '../vla/encoder.ts'
import { ridge } from './ridge.ts'
import { READINGS, targetOffset, targetsOf } from './targets.ts'

export type ProbeFrame = { task: string; episode: number; encoding: Encoding; targets: Float32Array }

/** Median and 90th percentile of the error: millimetres for places, degrees for directions. */
export type ProbeError = { reading: string; unit: 'mm' | '°'; median: number; p90: number }

const NOISE = 0.3 // of the expert, action units, white
const PENALTY = 1e-4
const EVERY = 2 // steps between two frames that are kept

/** Frames of `episodes` episodes a task by the noisy scripted expert, encoded. Reset seeds count up from `seed`. */
export async function probeFrames(
  encoder: VlaEncoder,
  episodes: number,
  seed = 50_000,
  cell: Partial<WorkcellOptions> = {},
): Promise<ProbeFrame[]> {
  const workcell = await Workcell.create(cell)
  const noise = new RandomStream(seed, 'noise')
  const frames: ProbeFrame[] = []
  for (const task of OPERATIONS)
    for (let episode = 0; episode < episodes; episode++) {
      let observation = workcell.resetSync(task, seed + episode)
      for (let step = 0; step < TASKS[task]!.maxSteps; step++) {
        const truth = workcell.truth()
        if (step % EVERY === 0) {
          const { images, proprio } = observation
          const [encoding] = await encoder.encode([{ images, proprio, instruction: TASKS[task]!.instruction }])
          frames.push({ task, episode, encoding: encoding!, targets: targetsOf(truth) })
        }
        const action = expertAction(truth)
        for (let axis = 0; axis < 6; axis++) action[axis]! += NOISE * noise.normal()
        const outcome = workcell.stepSync(action)
        observation = outcome.observation
        if (outcome.terminated) break
      }
    }
  workcell.free()
  return frames
}

/** Fits on the even episodes and tests on the odd ones. `from`: what the map reads. */
export function probe(frames: readonly ProbeFrame[], from: 'h' | 'features'): ProbeError[] {
  const training = frames.filter(({ episode }) => episode % 2 === 0)
  const test = frames.filter(({ episode }) => episode % 2 === 1)
  const map = ridge(
    training.map(({ encoding }) => encoding[from]),
    training.map(({ targets }) => targets),
    PENALTY,
  )
  const predictions = test.map(({ encoding }) => map.predict(encoding[from]))
  return READINGS.filter(({ kind }) => kind !== 'flag').map(({ name, kind }) => {
    const at = targetOffset(name)
    const errors = test
      .map(({ targets }, i) => {
        const [read, truth] = [predictions[i]!.subarray(at, at + 3), targets.subarray(at, at + 3)]
        return kind === 'place' ? 1000 * distance(read, truth) : (180 / Math.PI) * angle(read, truth)
      })
      .sort((a, b) => a - b)
    const quantile = (share: number) => errors[Math.floor(share * (errors.length - 1))]!
    return { reading: name, unit: kind === 'place' ? 'mm' : '°', median: quantile(0.5), p90: quantile(0.9) }
  })
}

type Vector = ArrayLike<number>
const distance = (a: Vector, b: Vector) => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!)
const angle = (a: Vector, b: Vector) => {
  const dot = a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!
  return Math.acos(Math.min(1, Math.max(-1, dot / (distance(a, [0, 0, 0]) * distance(b, [0, 0, 0])))))
}
