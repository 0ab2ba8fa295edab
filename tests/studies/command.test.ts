import { readdirSync } from 'node:fs'
import { Command } from 'commander'
import { afterEach, expect, it, vi } from 'vitest'
import { register } from '../../src/cli/experiments.ts'
import { experiments } from '../../src/studies/index.ts'
import { temporaryFolder } from './fabricated.ts'

const runs = temporaryFolder()
afterEach(() => vi.restoreAllMocks())

/** What the command prints. Errors pass through, as commander and the program throw them. */
async function duet(...args: string[]): Promise<string> {
  const said: string[] = []
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => said.push(String(text)) > 0)
  const program = new Command('duet').exitOverride()
  register(program)
  for (const command of program.commands) command.exitOverride()
  await program.parseAsync(['experiments', ...args, '--runs', runs], { from: 'user' })
  return said.join('')
}

it('without a name lists every experiment, once', async () => {
  const listed = (await duet()).trim().split('\n').slice(2)
  expect(listed.map((line) => line.split(' ')[0])).toEqual(experiments.map(({ name }) => name))
  expect(new Set(experiments.map(({ name }) => name)).size).toBe(experiments.length)
})

it.each([
  [['tabel1'], /experiment "tabel1": is unknown.*table1-weak/s],
  [['table1', '--seeds', '0,0'], /'0,0' is invalid.*different whole numbers/s],
  [['table1', '--trials', '0'], /evaluation\.trials/],
  [['table1', '--jobs', '0'], /--jobs: is 0.*1 or more/s],
  [['table1', '--set', 'online.robotMinuts=3'], /unknown setting "online.robotMinuts".*"online.robotMinutes"/s],
])('refuses %j before anything runs', async (args, message) => {
  await expect(duet(...args)).rejects.toThrow(message)
  const made = readdirSync(runs, { recursive: true, encoding: 'utf8' })
  expect(made.filter((name) => name.endsWith('config.yaml') || name.includes('demonstrations'))).toEqual([])
})
