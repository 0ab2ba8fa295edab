/**
 * @file The loop of a real robot comes first on the cores that it shares with the learner. Side by side as equals, it waits
 * for a core up to 30 ms (decision 79).
 */
import os from 'node:os'
import { isMainThread } from 'node:worker_threads'

const FIRST = -15 // niceness

/** `back` undoes it. `refused`: why this user may not. */
export type Precedence = { back(): void; refused?: string }

/**
 * On Linux a niceness is one thread's, and the number of a process is that of its main thread: threads that live by now keep
 * theirs. Elsewhere it would be the whole process's, and nothing is done.
 */
export function comeFirst(
  set: (niceness: number) => void = (niceness) => os.setPriority(process.pid, niceness),
): Precedence {
  if (process.platform !== 'linux' || !isMainThread) return { back: () => undefined }
  const before = os.getPriority(process.pid)
  try {
    set(Math.min(before, FIRST))
    return { back: () => set(before) }
  } catch (error) {
    return { back: () => undefined, refused: (error as NodeJS.ErrnoException).code ?? String(error) }
  }
}

/** What a user does about it. */
export const PRECEDENCE_REFUSED =
  'Loop: it shares its cores with the learner as an equal, and its commands come up to 30 ms late. Let it come first: a line `<user> - nice -15` in /etc/security/limits.conf, and log in again.'
