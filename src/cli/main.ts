/** @file The `duet` command as a process: what it is told, and how it ends. */
import { CommanderError } from 'commander'
import { endWith, exitCodeOf, watchEnds } from './ends.ts'
import { runProgram } from './program.ts'

watchEnds()

try {
  await runProgram(process.argv)
} catch (error) {
  if (error instanceof CommanderError) process.exit(exitCodeOf(error)) // told already
  endWith(error)
}
