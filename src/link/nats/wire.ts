/** @file A broker as a link needs it: bytes to a subject, bytes from subjects. It may lose, repeat and reorder, and be away. */
import { InputError } from '../../errors.ts'

export interface Wire {
  /** What is published while the broker is away is lost. */
  publish(subject: string, bytes: Uint8Array): void
  /** Returns what ends the subscription. */
  subscribe(subject: string, listener: (subject: string, bytes: Uint8Array) => void): () => void
  /** Calls whenever the broker is back. Returns what ends that. */
  onBack(listener: () => void): () => void
  close(): Promise<void>
}

/** A run's and a robot's name, as they may stand in a subject. */
export const SUBJECT_NAME = /^[A-Za-z0-9_-]{1,64}$/

/** `what`: a run or a robot. @throws InputError */
export function expectSubjectName(what: string, name: string): void {
  if (SUBJECT_NAME.test(name)) return
  throw new InputError(
    `${what} "${name}"`,
    'has a name that cannot stand in a subject',
    'Use letters, digits, "-" and "_", 64 at most',
  )
}

/** What an actor publishes to, and what it hears: its key has rights on these two alone. */
export const upSubject = (run: string, robot: string) => `duet.${run}.up.${robot}`
export const downSubject = (run: string, robot: string) => `duet.${run}.down.${robot}`
/** Where learners of one run hear of one another. */
export const learnerSubject = (run: string) => `duet.${run}.learner`
