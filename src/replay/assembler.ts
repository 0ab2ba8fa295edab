/** @file Gathers episodes while they run, one a robot, and hands each on when it has ended. */

import { InputError, ShapeError } from '../errors.ts'
import { toHalf } from '../float16.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { type EpisodeEnd, type EpisodeStart, type Step, settle } from './episode.ts'
import type { StoredObservation, StoreShape } from './episode-store.ts'

/** An observation as the encoder left it. */
export type EncodedObservation = {
  h: Float32Array // [embeddingWidth]
  features: readonly Float32Array[] // 1 + copies of [cameras, height, width, channels]; the first is of the unshifted images
  proprio: Float32Array // [proprioWidth]
}

/** T + 1 observations and T steps, the last one settled. */
export type WholeEpisode = { start: EpisodeStart; observations: StoredObservation[]; steps: Step[] }

export class EpisodeAssembler {
  private readonly open = new Map<number, WholeEpisode>()
  private readonly closed = new Set<number>()

  constructor(private readonly shape: StoreShape) {}

  /** @returns false for a repeat */
  begin(start: EpisodeStart, observation: EncodedObservation): boolean {
    const { episode } = start
    if (this.closed.has(episode) || this.open.has(episode)) return false
    this.open.set(episode, { start, observations: [this.stored(observation, `episode ${episode} start`)], steps: [] })
    return true
  }

  /** @returns false for a repeat. @throws InputError on a gap or a non-finite number, ShapeError on a wrong width */
  step(episode: number, step: Step, next: EncodedObservation): boolean {
    if (this.closed.has(episode)) return false
    const { observations, steps } = this.find(episode)
    if (step.step < steps.length) return false
    const where = `episode ${episode} step ${step.step}`
    if (step.step > steps.length) {
      throw new InputError(where, `arrived where step ${steps.length} was due`, 'Send the missing steps first')
    }
    const last = steps.at(-1)
    if (last?.terminated || last?.truncated) {
      throw new InputError(where, 'comes after the episode was over', 'End the episode and begin another')
    }
    if (step.action.length !== ACTION_WIDTH)
      throw new ShapeError(`${where} action`, [step.action.length], [ACTION_WIDTH])
    expectFinite(`${where} action`, step.action)
    expectFinite(`${where} reward`, [step.reward])
    observations.push(this.stored(next, where))
    steps.push({ ...step, action: step.action.slice() })
    return true
  }

  /** @returns the whole episode; null for a repeat, or where it has no step to learn from */
  end(episode: number, end: EpisodeEnd): WholeEpisode | null {
    if (this.closed.has(episode)) return null
    const whole = this.find(episode)
    this.open.delete(episode)
    this.closed.add(episode)
    const last = whole.steps.pop()
    if (!last) return null
    whole.steps.push(settle(last, end))
    return whole
  }

  private find(episode: number): WholeEpisode {
    const whole = this.open.get(episode)
    if (!whole) throw new InputError(`episode ${episode}`, 'was not begun', 'Send its start first')
    return whole
  }

  private stored({ h, features, proprio }: EncodedObservation, where: string): StoredObservation {
    const { embeddingWidth, featureShape, proprioWidth, copies } = this.shape
    if (h.length !== embeddingWidth) throw new ShapeError(`${where} h`, [h.length], [embeddingWidth])
    if (proprio.length !== proprioWidth) throw new ShapeError(`${where} proprio`, [proprio.length], [proprioWidth])
    if (features.length !== 1 + copies) {
      const fix = 'give the unshifted features, then one array an augmented copy'
      throw new ShapeError(`${where} feature arrays`, [features.length], [1 + copies], fix)
    }
    expectFinite(`${where} h`, h)
    expectFinite(`${where} proprio`, proprio)
    const [cameras, height, width, channels] = featureShape
    const length = cameras * height * width * channels
    const halves = new Uint16Array(length * (1 + copies))
    features.forEach((array, copy) => {
      if (array.length !== length) throw new ShapeError(`${where} features ${copy}`, [array.length], [length])
      expectFinite(`${where} features ${copy}`, array)
      channelFirst(array, featureShape, halves, copy * length)
    })
    return { h: h.slice(), features: halves, proprio: proprio.slice() }
  }
}

/** out[at + (camera, channel, y·width + x)] = half of array[camera, y, x, channel]. */
function channelFirst(array: Float32Array, shape: StoreShape['featureShape'], out: Uint16Array, at: number) {
  const [cameras, height, width, channels] = shape
  const space = height * width
  for (let camera = 0; camera < cameras; camera++) {
    const from = camera * space * channels
    for (let place = 0; place < space; place++) {
      for (let channel = 0; channel < channels; channel++) {
        out[at + from + channel * space + place] = toHalf(array[from + place * channels + channel]!)
      }
    }
  }
}

function expectFinite(where: string, values: ArrayLike<number>) {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new InputError(
        `${where}[${i}]`,
        `is ${values[i]}`,
        'A single such number would spoil every parameter: mend its source',
      )
    }
  }
}
