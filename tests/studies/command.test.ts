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
  [['regmes'], /experiment "regmes": is unknown.*regimes/s],
  [['regimes', '--seeds', '0,0'], /'0,0' is invalid.*different whole numbers/s],
  [['regimes', '--trials', '0'], /'--trials <n>' argument '0' is invalid.*1 or more/],
  [['regimes', '--methods', 'silent,dagger'], /--methods silent,dagger: there is no method "dagger".*hg-dagger/s],
  [['curves', '--methods', 'silent'], /experiment "curves" does not compare methods/],
  [['regimes', '--jobs', '0'], /'--jobs <n>' argument '0' is invalid.*1 or more/],
  [['regimes', '--seeds', '15'], /training seed 15: is kept for reporting/],
  [['regimes', '--reporting', '--seeds', '0'], /training seed 0: is one that settings were chosen on/],
  [['regimes', '--reporting', '--docs', '/nowhere'], /recipe\.json: is missing: no recipe is frozen/],
  [['regimes', '--publish', '--docs', '/nowhere'], /recipe\.json: is missing: no recipe is frozen/],
  [['regimes', '--reporting', '--tuning'], /'--tuning' cannot be used with option '--reporting'/],
  [
    ['regimes', '--regime', 'few', '--set', 'online.robotMinuts=3'],
    /unknown setting "online.robotMinuts".*"online.robotMinutes"/s,
  ],
])('refuses %j before anything runs', async (args, message) => {
  await expect(duet(...args)).rejects.toThrow(message)
  const made = readdirSync(runs, { recursive: true, encoding: 'utf8' })
  expect(made.filter((name) => name.endsWith('config.yaml') || name.includes('demonstrations'))).toEqual([])
})
