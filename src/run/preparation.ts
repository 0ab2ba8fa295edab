/** @file Before the first update: demonstrations and log on disk, each observation encoded once, and the normalisers that follow from them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { Normaliser } from '../learn/normaliser.ts'
import type { Experience } from '../link/ports.ts'
import { type Copies, look, type Perception } from '../loop/perception.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { Encodings } from '../replay/encodings.ts'
import type { Episode, EpisodeSource } from '../replay/source.ts'
import type { EncoderDescription } from '../vla/encoder.ts'
import type { RunConfig } from './config.ts'
import type { Session } from './session.ts'

/** `sights`: T + 1, before normalisation. */
export type EncodedEpisode = { episode: ToldEpisode; sights: EncodedObservation[] }
type ToldEpisode = Pick<Episode, 'start' | 'steps' | 'end'>
export type Normalisers = { h: Normaliser; proprio: Normaliser }

/** Demonstrations have ids of their own below zero, so that their copies' shifts differ from those of online steps. */
const demonstrationId = (episode: number, step: number) => -(1 + episode * 10_000 + step)

/** Whoever waits while episodes are read. */
export type Reading<OnEpisode> = {
  onEpisode: OnEpisode
  /** Of an episode that cannot be learned from. */
  onLeftOut?: (line: string) => void
  /** Asked between two observations; throws where the run is to end. */
  check?: () => void
  /** What earlier runs made of them, one a source. */
  encodings?: readonly Encodings[]
}

type Eyes = Pick<Session, 'encoder' | 'instructions'>

/** Reads and encodes the first `perTask` demonstrations of each task and robot. @throws InputError if a task has too few, or the replay cannot hold them all */
export async function encodeDemonstrations(
  eyes: Eyes,
  sources: readonly EpisodeSource[], // one a robot
  config: RunConfig,
  copies: Copies,
  { onEpisode, onLeftOut, check, encodings }: Reading<(done: number, total: number) => void>, // parts of an episode count
): Promise<EncodedEpisode[]> {
  const wanted = config.demonstrations.perTask
  const { capacity } = config.replay
  let observations = 0
  const encoded: EncodedEpisode[] = []
  for (const [from, source] of sources.entries()) {
    const taken = new Map(config.tasks.map((task) => [task, 0]))
    for await (const episode of source.episodes({ tasks: config.tasks })) {
      const count = taken.get(episode.start.task)!
      if (count >= wanted) continue
      if (episode.unusable !== undefined) {
        onLeftOut?.(leftOut(source, episode, episode.unusable))
        continue
      }
      taken.set(episode.start.task, count + 1)
      const { steps, end } = episode
      const start = { ...episode.start, episode: encoded.length }
      const total = wanted * config.tasks.length * sources.length
      const id = (step: number) => demonstrationId(start.episode, step)
      const onShare = (share: number) => onEpisode(encoded.length + share, total)
      const sights = await encodeEpisode(eyes, episode, copies, id, { onShare, check, kept: encodings?.[from] })
      encoded.push({ episode: { start, steps, end }, sights })
      observations += sights.length
      if (observations > capacity)
        throw new InputError(
          'setting "replay.capacity"',
          `is ${capacity}, and the demonstrations alone have more observations: the first would be forgotten before anything is learned from them`,
          'Raise it, or lower demonstrations.perTask',
        )
      if ([...taken.values()].every((held) => held >= wanted)) break // of a large source, most is never read
    }
    for (const [task, count] of taken)
      if (count < wanted) {
        const remedy = `Record more with \`duet demo record --task ${task}\`, or lower demonstrations.perTask`
        throw new InputError(
          source.name,
          `holds ${count} demonstrations of task "${task}", ${wanted} are asked for`,
          remedy,
        )
      }
  }
  return encoded
}

type Encoding = {
  onShare?: (share: number) => void // of the episode; large encoders take seconds an observation
  check?: () => void
  kept?: Pick<Encodings, 'find' | 'keep'>
}

/**
 * All observations of an episode as the encoder sees them. `id(step)` fixes the shifts of the copies. What is kept is not
 * encoded again, and where all of it is, no picture is read.
 */
export async function encodeEpisode(
  { encoder, instructions }: Eyes,
  { start, steps, sums, observations }: Pick<Episode, 'start' | 'steps' | 'sums' | 'observations'>,
  copies: Copies,
  id: (step: number) => number,
  { onShare = () => undefined, check, kept }: Encoding = {},
): Promise<EncodedObservation[]> {
  const instruction = instructions[start.task]!
  const key = (step: number) => ({ episode: start.episode, step, id: id(step), sum: sums![step]!, instruction })
  const found = kept && sums ? sums.map((_, step) => kept.find(key(step))) : []
  if (found.length > 0 && found.every((sight) => sight !== undefined)) {
    check?.()
    onShare(1)
    return found
  }
  const sights: EncodedObservation[] = []
  for await (const observation of observations()) {
    check?.()
    const step = sights.length
    const known = found[step]
    const sight = known ?? (await look(encoder, observation, instruction, copies, id(step)))
    if (!known && kept && sums) kept.keep(key(step), sight)
    sights.push(sight)
    onShare(sights.length / (steps.length + 1))
  }
  return sights
}

/** Statistics of the demonstrations. They are part of the policy and stay as they are for the rest of the run. */
export function fitNormalisers(encoded: readonly EncodedEpisode[]): Normalisers {
  const sights = encoded.flatMap((episode) => episode.sights)
  return { h: Normaliser.fit(sights.map(({ h }) => h)), proprio: Normaliser.fit(sights.map(({ proprio }) => proprio)) }
}

export const NORMALISER_FILE = 'normalisers.json'

const State = z.strictObject({ mean: z.array(z.number()), deviation: z.array(z.number().gt(0)) })
const SavedNormalisers = z.strictObject({
  encoder: z.strictObject({ name: z.string(), hash: z.string() }),
  h: State,
  proprio: State,
})

/** The normalisers of h mean something for one encoder only, so its hash goes with them. */
export function saveNormalisers(
  directory: string,
  { h, proprio }: Normalisers,
  { name, hash }: EncoderDescription,
): void {
  const saved: z.infer<typeof SavedNormalisers> = { encoder: { name, hash }, h: h.save(), proprio: proprio.save() }
  writeWhole(join(directory, NORMALISER_FILE), JSON.stringify(saved))
}

/** @throws InputError if the file is missing or damaged, or if the policy beside it was trained on top of another encoder */
export function readNormalisers(directory: string, present: EncoderDescription): Normalisers {
  const path = join(directory, NORMALISER_FILE)
  if (!existsSync(path)) throw new InputError(path, 'is missing', 'Give a checkpoint that `duet train` wrote')
  const { h, proprio, encoder } = parseNormalisers(path)
  if (encoder.hash !== present.hash) {
    const what = `is of encoder ${encoder.name} ${encoder.hash.slice(0, 12)}, present is ${present.name} ${present.hash.slice(0, 12)}`
    throw new InputError(path, what, 'Restore the weights that the run was trained with, or train anew')
  }
  return { h: new Normaliser(h), proprio: new Normaliser(proprio) }
}

function parseNormalisers(path: string) {
  try {
    return SavedNormalisers.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new InputError(path, 'is not what was saved', 'Use another checkpoint of the run', { cause })
  }
}

const IN_FLIGHT = 256 // messages: whoever tells faster than the learner takes in would fill the memory

const leftOut = ({ name }: EpisodeSource, { start }: Episode, why: string) =>
  `Log: episode ${start.episode} of ${name} is left out, ${why}.`

/** Tells a whole episode to the learner, as the interaction loop would have step by step. */
export async function tellEpisode(
  experience: Pick<Experience, 'begin' | 'step' | 'end' | 'room'>,
  { start, steps, end }: ToldEpisode,
  seen: readonly EncodedObservation[],
): Promise<void> {
  await experience.room(IN_FLIGHT)
  experience.begin(start, seen[0]!)
  for (const [t, step] of steps.entries()) experience.step(start.episode, step, seen[t + 1]!)
  experience.end(start.episode, end)
}

/**
 * Tells the learner every episode of the robots' logs again, in the order of their numbers. Returns each robot's online
 * steps so far.
 */
export async function replayLogs(
  session: Eyes,
  perception: Perception,
  experience: readonly Experience[], // one a robot
  logs: readonly EpisodeSource[], // the same
  copies: Copies,
  { onEpisode, onLeftOut, check, encodings }: Reading<(done: number) => void>,
): Promise<number[]> {
  const robotSteps = logs.map(() => 0)
  let told = 0
  for await (const { from, episode } of inOrder(logs)) {
    if (episode.steps.length === 0) continue
    robotSteps[from] = robotSteps[from]! + episode.steps.length
    if (episode.unusable !== undefined) {
      onLeftOut?.(leftOut(logs[from]!, episode, episode.unusable))
      continue
    }
    const first = episode.steps[0]!.id
    const id = (step: number) => first + step * logs.length
    const sights = await encodeEpisode(session, episode, copies, id, { check, kept: encodings?.[from] })
    await tellEpisode(
      experience[from]!,
      episode,
      sights.map((sight) => perception.normalise(sight)),
    )
    onEpisode(++told)
  }
  return robotSteps
}

/** The episodes of all sources in the order of their numbers, which increase in each, with one of each in memory. */
async function* inOrder(sources: readonly EpisodeSource[]): AsyncGenerator<{ from: number; episode: Episode }> {
  const streams = sources.map((source) => source.episodes()[Symbol.asyncIterator]())
  const heads = await Promise.all(streams.map((stream) => stream.next()))
  for (;;) {
    let from = -1
    for (const [k, { done, value }] of heads.entries())
      if (!done && (from < 0 || value.start.episode < heads[from]!.value.start.episode)) from = k
    if (from < 0) return
    yield { from, episode: heads[from]!.value }
    heads[from] = await streams[from]!.next()
  }
}
