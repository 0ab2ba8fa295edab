/** @file The triplets of an audit (state, correction window, label), read from a run's log and drawn evenly over the commands. */
import { InputError } from '../../errors.ts'
import { RandomStream } from '../../random/stream.ts'
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import { nameOf, vectorOf } from '../../robot/channels.ts'
import type { Image, Observation, RobotSpec } from '../../robot/robot.ts'
import type { Label, LabelRule } from '../../talk/labels.ts'
import type { Translator } from '../../talk/translator.ts'
import type { Direction } from '../../talk/vocabulary.ts'

export type Displacement = readonly [x: number, y: number, z: number]

/** Where a triplet stands in the log; `key` names it across answers and pages. */
export type StepAddress = { key: string; cell: string; episode: number; task: string; step: number }

/** One corrected step, before anybody judged it. */
export type Correction = StepAddress & {
  label: Label
  /** What the arm really did between the window's first and last observation, metres: from the log's proprio. */
  moved: Displacement
}

export type Triplet = Correction & {
  before: Record<string, Image> // camera to frame
  after: Record<string, Image> // at the end of the window
  tcp: { before: Displacement; after: Displacement } // metres, base frame
}

const position = ({ proprio }: Observation): Displacement => [proprio[0]!, proprio[1]!, proprio[2]!]

/** @throws InputError unless the channels begin with the tool's position */
export function expectPosition({ channels }: Pick<RobotSpec, 'channels'>): void {
  if (vectorOf(channels, 'position')?.join() !== '0,1,2')
    throw new InputError(
      'label audit',
      `the robot's channels begin with ${channels.slice(0, 3).map(nameOf).join(', ')}`,
      'The audit needs the tool position first: channels with the roles position.x, position.y, position.z',
    )
}

/** The labels of an episode, one a step; null where the operator did not act. */
export const labelsOf = ({ steps }: LoggedEpisode, translator: Translator): (Label | null)[] =>
  translator.label(steps.map(({ action, actor }) => ({ action, intervened: actor === 'operator' })))

/** Every corrected step of an episode of the robot in `cell`. */
export function correctionsOf(episode: LoggedEpisode, translator: Translator, cell = 'A'): Correction[] {
  const { start, observations } = episode
  return labelsOf(episode, translator).flatMap((label, step) => {
    if (!label) return []
    const [from, to] = [position(observations[step]!), position(observations[step + label.window]!)]
    const moved: Displacement = [to[0] - from[0], to[1] - from[1], to[2] - from[2]]
    const key = `${cell}/${start.episode}/${step}`
    return [{ key, cell, episode: start.episode, task: start.task, step, label, moved }]
  })
}

/** What the corrections of an episode have in common. */
export const episodeKey = ({ cell, episode }: Pick<StepAddress, 'cell' | 'episode'>): string => `${cell}/${episode}`

/** A correction with its frames. */
export function tripletOf(correction: Correction, { observations }: LoggedEpisode): Triplet {
  const [first, last] = [observations[correction.step]!, observations[correction.step + correction.label.window]!]
  return {
    ...correction,
    before: first.images,
    after: last.images,
    tcp: { before: position(first), after: position(last) },
  }
}

/**
 * Draws `count` of the corrections without repeats, so that each command has as many as any other, as far as it has that
 * many: commands take turns, each in a random order of its own.
 */
export function drawEvenly<T extends { label: Label }>(corrections: readonly T[], count: number, seed: number): T[] {
  const random = new RandomStream(seed, 'label audit')
  const piles = new Map<string, T[]>()
  for (const correction of corrections) {
    const { command } = correction.label
    piles.set(command, [...(piles.get(command) ?? []), correction])
  }
  const order = [...piles.keys()].sort()
  for (const command of order) shuffle(piles.get(command)!, random)
  shuffle(order, random) // so that the last, incomplete turn favours no command
  const drawn: T[] = []
  for (let turn = 0; drawn.length < count && drawn.length < corrections.length; turn++)
    for (const command of order) {
      const next = piles.get(command)![turn]
      if (next && drawn.length < count) drawn.push(next)
    }
  return drawn
}

function shuffle<T>(items: T[], random: RandomStream): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1)
    ;[items[i], items[j]] = [items[j]!, items[i]!]
  }
}

/** Per axis -1, 0 or 1: beyond the threshold or not, by the rule's own tie. */
export function directionOf(delta: Displacement, { threshold, tie }: Pick<LabelRule, 'threshold' | 'tie'>): Direction {
  const sign = (metres: number) => (Math.abs(metres) > threshold + tie ? Math.sign(metres) : 0)
  return [sign(delta[0]), sign(delta[1]), sign(delta[2])]
}
