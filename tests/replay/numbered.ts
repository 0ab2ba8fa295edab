/** @file Numbered frames: every stored value tells which observation it belongs to, so that each sample can be checked. */
import { expect } from 'vitest'
import type {
  EncodedObservation,
  EpisodeEnd,
  EpisodeStart,
  ReplayBuffer,
  ReplayOptions,
  Step,
  TransitionRows,
} from '../../src/replay/index.ts'
import { ReplayBuffer as Buffer } from '../../src/replay/index.ts'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'

export const SHAPE = { embeddingWidth: 3, featureShape: [2, 2, 3, 4], proprioWidth: 2 } as const
const LENGTH = 2 * 2 * 3 * 4

export const aReplay = (options: Partial<ReplayOptions> = {}) =>
  new Buffer({
    ...SHAPE,
    copies: 1,
    tasks: ['place', 'pick'],
    discount: 0.9,
    returnSteps: 1,
    clones: 'interventions',
    translator: ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.05 }),
    commands: builtInCommandEncoder(),
    demonstrationCapacity: 4096,
    onlineCapacity: 4096,
    ...options,
  })

/** The frame of step t of an episode: 1000 numbers an episode. */
export const frameOf = (episode: number, t: number) => episode * 1000 + t

/** Whole numbers below 2048 are exact in half precision. */
const feature = (frame: number, copy: number, index: number) => (frame * 7 + copy * 1021 + index * 3) % 2048

export const encoded = (frame: number, copies = 1): EncodedObservation => ({
  h: Float32Array.of(frame, frame + 0.25, -frame),
  features: Array.from({ length: 1 + copies }, (_, copy) =>
    Float32Array.from({ length: LENGTH }, (_, index) => feature(frame, copy, index)),
  ),
  proprio: Float32Array.of(frame, 1 / (1 + frame)),
})

/** The action of a frame; its translations are far above or below the label threshold. */
export const actionOf = (frame: number) =>
  Float32Array.of(frame % 2 ? 0.5 : -0.5, 0, 0, (frame % 1000) / 1000, Math.floor(frame / 1000) / 1000, 0, 1)

export type Plan = {
  episode: number
  steps: number
  task?: string
  source?: EpisodeStart['source']
  operator?: (t: number) => boolean
  exploration?: (t: number) => boolean
  last?: Partial<Step>
  end?: EpisodeEnd
}

export const startOf = ({ episode, task = 'place', source = 'online' }: Plan): EpisodeStart => ({
  episode,
  task,
  source,
  seed: episode,
})

export const stepOf = (plan: Plan, t: number): Step => ({
  id: frameOf(plan.episode, t),
  step: t,
  action: actionOf(frameOf(plan.episode, t)),
  reward: 0,
  terminated: false,
  truncated: false,
  by: 'robot',
  actor: plan.operator?.(t) ? 'operator' : plan.exploration?.(t) ? 'exploration' : 'primary',
  command: null,
  ...(t === plan.steps - 1 ? { truncated: true, ...plan.last } : {}),
})

export function feed(replay: ReplayBuffer, plan: Plan) {
  const copies = replay.options.copies
  replay.begin(startOf(plan), encoded(frameOf(plan.episode, 0), copies))
  for (let t = 0; t < plan.steps; t++) {
    replay.step(plan.episode, stepOf(plan, t), encoded(frameOf(plan.episode, t + 1), copies))
  }
  replay.end(plan.episode, plan.end ?? { ending: 'timeout' })
}

export const rows = (count: number): TransitionRows => {
  const column = (width: number) => new Float32Array(count * width)
  return {
    ...{ h: column(3), features: column(LENGTH), proprio: column(2), action: column(7) },
    ...{ reward: column(1), terminated: column(1), discount: column(1), mcReturn: column(1) },
    bcMask: column(1),
    ...{ nextH: column(3), nextFeatures: column(LENGTH), nextProprio: column(2) },
  }
}

/** Asserts that h, features and proprio of a row are those of one frame, channel first, and returns its number. */
export function frameAt(
  h: Float32Array,
  features: Float32Array,
  proprio: Float32Array,
  row: number,
  copies = 1,
): number {
  const frame = h[3 * row]!
  const whole = encoded(frame, copies)
  const own = (column: Float32Array, width: number) => [...column.subarray(row * width, (row + 1) * width)]
  if (own(h, 3).join() !== whole.h.join()) expect(own(h, 3)).toEqual([...whole.h])
  if (own(proprio, 2).join() !== whole.proprio.join()) expect(own(proprio, 2)).toEqual([...whole.proprio])
  const got = own(features, LENGTH)
  const candidates = whole.features.map((array) => channelFirst([...array]))
  if (!candidates.some((candidate) => candidate.join() === got.join())) expect(got).toEqual(candidates[0])
  return frame
}

/** Which copy the row's features are of: 0 is the unshifted image. */
export const copyAt = (features: Float32Array, row: number, frame: number, copies: number) =>
  Array.from({ length: copies + 1 }, (_, copy) => copy).find(
    (copy) => features[row * LENGTH] === feature(frame, copy, 0),
  )

/** [camera, y, x, channel] to [camera, channel, y, x], written with nested arrays to be independent of the code. */
function channelFirst(flat: number[]): number[] {
  const [cameras, height, width, channels] = SHAPE.featureShape
  const out: number[] = []
  for (let camera = 0; camera < cameras; camera++)
    for (let channel = 0; channel < channels; channel++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) out.push(flat[((camera * height + y) * width + x) * channels + channel]!)
  return out
}

/** Checks row after row: the frame, its action, and its successor in the same episode. Returns the frame numbers. */
export function checkRows(out: TransitionRows, from: number, to: number, copies = 1): number[] {
  const frames: number[] = []
  for (let row = from; row < to; row++) {
    const frame = frameAt(out.h, out.features, out.proprio, row, copies)
    const next = frameAt(out.nextH, out.nextFeatures, out.nextProprio, row, copies)
    if (next !== frame + 1) expect(next, `successor of frame ${frame}`).toBe(frame + 1)
    const action = [...out.action.subarray(7 * row, 7 * row + 7)]
    if (action.join() !== actionOf(frame).join()) expect(action).toEqual([...actionOf(frame)])
    frames.push(frame)
  }
  return frames
}
