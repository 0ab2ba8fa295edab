/** @file What the three ports say to one another, as heads and arrays of the codec. */
import { createHash } from 'node:crypto'
import { type ErrorData, InputError } from '../errors.ts'
import type { Phase, UpdateFigures } from '../learn/phase.ts'
import type { ActorParameters } from '../learn/policy.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { EpisodeEnd, EpisodeStart, Step } from '../replay/episode.ts'
import { encodeMessage, type Message } from './codec.ts'
import type { Learned, Published, Saved } from './ports.ts'

/** Whose experience it is; episode and step complete the key. */
export type Origin = { run: string; robot: string }

export type ControlRequest =
  | { want: 'learn'; phase: Phase; updates: number }
  | { want: 'learn-freely'; publishEvery: number }
  | { want: 'pause' }
  | { want: 'save'; name: string }
  | { want: 'stop' }

type ToldStep = Omit<Step, 'action' | 'planned'>

/** From the robots' side. Arrays of an observation: h, proprio, then each of the features. */
export type ToLearner =
  | { kind: 'begin'; from: Origin; start: EpisodeStart }
  | { kind: 'step'; from: Origin; episode: number; step: ToldStep } // the action comes first
  | { kind: 'end'; from: Origin; episode: number; end: EpisodeEnd }
  | { kind: 'request'; ticket: number; request: ControlRequest }

/** From the learner. `ticket` answers the request that carried it. */
export type FromLearner =
  | { kind: 'ready' }
  | { kind: 'taken'; messages: number } // of experience, since the link opened: they are in the learner's hands
  | { kind: 'weights'; version: number; groups: string[]; hash?: string } // an array a group
  | { kind: 'reply'; ticket: number; reply: Partial<Learned & Saved> }
  | { kind: 'figures'; figures: UpdateFigures }
  | { kind: 'alive' } // about twice a second, whatever the learner is at
  | { kind: 'failed'; error: ErrorData }

const arraysOf = ({ h, proprio, features }: EncodedObservation) => [h, proprio, ...features]

const observationOf = ([h, proprio, ...features]: readonly Float32Array[]): EncodedObservation => ({
  h: h!,
  proprio: proprio!,
  features,
})

export const beginMessage = (from: Origin, start: EpisodeStart, observation: EncodedObservation) =>
  encodeMessage<ToLearner>({ head: { kind: 'begin', from, start }, arrays: arraysOf(observation) })

export function stepMessage(from: Origin, episode: number, whole: Step, next: EncodedObservation): ArrayBuffer {
  const { action, planned: _, ...step } = whole // nobody learns from what was only planned
  const arrays = [action, ...arraysOf(next)]
  return encodeMessage<ToLearner>({ head: { kind: 'step', from, episode, step }, arrays })
}

export const firstObservation = ({ arrays }: Message<unknown>) => observationOf(arrays)

export function stepOf({ arrays }: Message<unknown>, step: ToldStep): { step: Step; next: EncodedObservation } {
  const [action, ...next] = arrays
  return { step: { ...step, action: action!, reward: step.reward ?? Number.NaN }, next: observationOf(next) } // JSON has no NaN
}

export function weightsMessage({ version, values, hash }: Published): ArrayBuffer {
  const head: FromLearner = { kind: 'weights', version, groups: Object.keys(values), hash }
  return encodeMessage({ head, arrays: Object.values(values) })
}

/** @throws InputError if they are not what was published under their hash */
export function publishedOf(
  { version, groups, hash }: Extract<FromLearner, { kind: 'weights' }>,
  { arrays }: Message<unknown>,
): Published {
  const values: ActorParameters = Object.fromEntries(groups.map((group, i) => [group, arrays[i]!]))
  if (hash === undefined) return { version, values }
  if (hash !== hashOf(values))
    throw new InputError(
      `weights of version ${version}`,
      'are not what was published under their hash',
      'Run the same version of Duet at both ends',
    )
  return { version, values, hash }
}

/** SHA-256 of the names and numbers of all groups. */
export function hashOf(values: ActorParameters): string {
  const hash = createHash('sha256')
  for (const [group, array] of Object.entries(values))
    hash.update(group).update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  return hash.digest('hex')
}

/** JSON has no NaN: a figure that diverged left as null. */
export const figuresOf = (figures: UpdateFigures): UpdateFigures =>
  JSON.parse(JSON.stringify(figures), (_, value) => (value === null ? Number.NaN : value))
