/** @file A thread that lets others go first: it shares the cores with those who command a robot that waits for nobody. */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename } from 'node:path'

/** About a tenth of a core where another thread wants it, all of it where none does; woken threads interrupt it at once. */
const NICENESS = 10

/**
 * For the thread that calls it, and those that it starts from now on. Linux alone has priorities of threads, and gives them
 * numbers by which a thread finds its own. @returns whether it does from now on
 */
export function letOthersFirst(): boolean {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS)
    return true
  } catch {
    return false
  }
}
