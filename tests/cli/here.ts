/** @file A `duet` command inside this process, where what is tested needs none of its own: a start reads the whole program. */
import { CommanderError } from 'commander'
import { vi } from 'vitest'
import { exitCodeOf, lineOf } from '../../src/cli/ends.ts'
import { runProgram } from '../../src/cli/program.ts'

/** What it prints, and the exit code that its process would end with. */
export async function duetHere(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text)
      return true
    }),
  )
  const { exitCode } = process
  process.exitCode = 0
  try {
    await runProgram(['node', 'duet', ...args])
    return { status: Number(process.exitCode), ...said }
  } catch (error) {
    if (!(error instanceof CommanderError)) said.stderr += `${lineOf(error)}\n` // that one has told it itself
    return { status: exitCodeOf(error), ...said }
  } finally {
    process.exitCode = exitCode
    for (const spy of spies) spy.mockRestore()
  }
}
