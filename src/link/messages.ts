/** @file What the three ports say to one another, as heads and arrays of the codec. */
import { createHash } from 'node:crypto'
import { type ErrorData, InputError } from '../errors.ts'
import { decodeHalves, toHalf } from '../float16.ts'
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

/** What happened, of all that goes to a learner. */
export type ToldHead = Exclude<ToLearner, { kind: 'request' | 'standing' }>

/** How an actor says that it is. */
export type ActorStanding = {
  does: 'acts' | 'waits' | 'is held' | 'is done' // it waits for weights, or for a learner that is behind; a person holds it
  lag: number | null // s from the last step that was told as it happened to its acknowledgement, on the actor's own clock
  fault: string | null // why its robot may not move, or its process ends
  page: string | null // where a person can tend it, as its own machine says it
}

type ToldStep = Omit<Step, 'action' | 'planned'>

/** From the robots' side. Arrays of an observation: h, proprio, then each of the features. */
export type ToLearner =
  | { kind: 'begin'; from: Origin; start: EpisodeStart }
  | { kind: 'step'; from: Origin; episode: number; step: ToldStep } // the action comes first
  | { kind: 'end'; from: Origin; episode: number; end: EpisodeEnd }
  | { kind: 'standing'; standing: ActorStanding } // no experience: nobody acknowledges it
  | { kind: 'request'; ticket: number; request: ControlRequest }

/** From the learner. `ticket` answers the request that carried it. */
export type FromLearner =
  | { kind: 'ready' }
  | { kind: 'taken'; messages: number } // of experience, since the link opened: they are in the learner's hands
  | {
      kind: 'weights'
      version: number
      groups: string[] // an array each
      hash?: string
      back?: true
      halves?: number[] // in 16 bits, two in a place: how many numbers each group has
    }
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

/** `bits`: 16 only for values that are halves already, or their hash is another's. */
export function weightsMessage({ version, values, hash, back }: Published, bits: 16 | 32 = 32): ArrayBuffer {
  const arrays = Object.values(values)
  const head: FromLearner = { kind: 'weights', version, groups: Object.keys(values), hash, back }
  if (bits === 32) return encodeMessage({ head, arrays })
  return encodeMessage({ head: { ...head, halves: arrays.map(({ length }) => length) }, arrays: arrays.map(inHalves) })
}

/** Two in a place: arrays of messages have 32 bits a number. */
function inHalves(values: Float32Array): Float32Array {
  const halves = new Uint16Array(2 * Math.ceil(values.length / 2))
  for (const [i, value] of values.entries()) halves[i] = toHalf(value)
  return new Float32Array(halves.buffer)
}

function fromHalves({ buffer, byteOffset }: Float32Array, length: number): Float32Array {
  const values = new Float32Array(length)
  decodeHalves(new Uint16Array(buffer, byteOffset, length), 0, values, 0, length)
  return values
}

/** What is left of parameters in 16 bits: 11 significant ones. */
export const inSixteenBits = (values: ActorParameters): ActorParameters =>
  Object.fromEntries(Object.entries(values).map(([group, array]) => [group, fromHalves(inHalves(array), array.length)]))

/** @throws InputError if they are not what was published under their hash */
export function publishedOf(
  { version, groups, hash, back, halves }: Extract<FromLearner, { kind: 'weights' }>,
  { arrays }: Message<unknown>,
): Published {
  const array = (i: number) => (halves ? fromHalves(arrays[i]!, halves[i]!) : arrays[i]!)
  const values: ActorParameters = Object.fromEntries(groups.map((group, i) => [group, array(i)]))
  const about = { version, values, ...(back && { back }) }
  if (hash === undefined) return about
  if (hash !== hashOf(values))
    throw new InputError(
      `weights of version ${version}`,
      'are not what was published under their hash',
      'Run the same version of Duet at both ends',
    )
  return { ...about, hash }
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
