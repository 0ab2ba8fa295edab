/** @file Messages of one robot, as an actor would send them: numbered frames. */
import { encodeMessage } from '../../src/link/codec.ts'
import { beginMessage, stepMessage, type ToLearner } from '../../src/link/messages.ts'
import type { Experience } from '../../src/link/ports.ts'
import type { ReplayBuffer } from '../../src/replay/buffer.ts'
import type { EpisodeEnd } from '../../src/replay/episode.ts'
import { encoded, frameOf, type Plan, startOf, stepOf } from '../replay/numbered.ts'

export const FROM = { run: 'arms', robot: 'A' }

export const begun = (plan: Plan, from = FROM) => beginMessage(from, startOf(plan), encoded(frameOf(plan.episode, 0)))

export const stepped = (plan: Plan, t: number, from = FROM) =>
  stepMessage(from, plan.episode, { ...stepOf(plan, t), policyVersion: 40 + t }, encoded(frameOf(plan.episode, t + 1)))

export const ended = ({ episode }: Plan, end: EpisodeEnd = { ending: 'timeout' }, from = FROM) =>
  encodeMessage<ToLearner>({ head: { kind: 'end', from, episode, end }, arrays: [] })

/** What a replay takes in as the learner's thread would, at once. */
export const experienceInto = (replay: ReplayBuffer): Pick<Experience, 'begin' | 'step' | 'end' | 'room'> => ({
  begin: (start, observation) => void replay.begin(start, observation),
  step: (episode, step, next) => void replay.step(episode, step, next),
  end: (episode, end) => replay.end(episode, end),
  room: async () => {},
})

/** An episode from its start to its end. */
export const whole = (plan: Plan): ArrayBuffer[] => [
  begun(plan),
  ...Array.from({ length: plan.steps }, (_, t) => stepped(plan, t)),
  ended(plan),
]
