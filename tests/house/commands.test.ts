/** @file What documents, help texts and messages tell a user to type is there: commands with their options, settings, scripts. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, CommanderError } from 'commander'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { duetProgram } from '../../src/cli/program.ts'
import { parseCameras } from '../../src/robot/cameras/config.ts'
import { USUAL_PRESET } from '../../src/run/presets.ts'
import { onPreset, parseConfig, parseOverride } from '../../src/run/resolve.ts'
import { settingNames } from '../../src/run/settings.ts'
import { filesUnder, read, root } from './files.ts'

const FRONT = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
const PAGES = [...FRONT, ...filesUnder(['docs'], /\.md$/)]
const SOURCES = filesUnder(['src'], /\.tsx?$/)

/** Lines to be copied: in blocks of a page, and in the examples of a command's help. */
const linesOf = (file: string): string[] =>
  [...read(file).matchAll(/^ *(?:npx )?duet ((?!.*=>).+)$/gm)].map(([, line]) =>
    line!.replace(/ [#>].*| {3,}.*/, '').trim(),
  )

/** Commands in the middle of a text, whole or in part. */
const mentionsOf = (file: string): string[] =>
  [...read(file).matchAll(/\\?`(?:npx )?duet ([a-z][^`\\]*)\\?`/g)].map(([, line]) => line!.replaceAll('\n', ' '))

/** As a shell takes a line apart. */
const words = (line: string) =>
  [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replaceAll(/['"]/g, ''))

const silent = (command: Command): Command => {
  command.configureOutput({ writeOut: () => {}, writeErr: () => {} }).exitOverride()
  command.commands.forEach(silent)
  if (command.commands.length === 0) command.action(() => {})
  return command
}

const programs = new Map<string, Promise<Command>>()

/** With this command, and all that it can be told; nothing is done by it. */
function programWith(first = ''): Promise<Command> {
  const made = programs.get(first) ?? duetProgram(first).then(silent)
  programs.set(first, made)
  return made
}

/** What is wrong with a command that somebody types. */
async function refusal(line: string): Promise<string | undefined> {
  const argv = words(line)
  const program = await programWith(argv[0])
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? undefined : error.message
  }
  return words(line)
    .filter((_, i, all) => all[i - 1] === '--set')
    .flatMap((set) => leaves(parseOverride(set)))
    .map((name) => (isSetting(name) ? undefined : `there is no setting ${name}`))
    .find((words) => words !== undefined)
}

const leaves = (nested: object, above = ''): string[] =>
  Object.entries(nested).flatMap(([key, value]) => {
    const name = above + key
    return value instanceof Object && !Array.isArray(value) && !isSetting(name) ? leaves(value, `${name}.`) : [name]
  })

const FLEET = ['bits', 'keepVersions', 'canary.trials', 'canary.everyMinutes', 'canary.drop'].map(
  (name) => `fleet.${name}`,
)
const SETTINGS = [...settingNames(), ...FLEET]
const GROUPS = new Set(SETTINGS.filter((name) => name.includes('.')).map((name) => name.split('.')[0]!))
const NO_SETTINGS = ['robot.local', 'robot.channels'] // a host, and what a policy file says of its robot
const isSetting = (name: string) => SETTINGS.some((known) => name === known || name.startsWith(`${known}.`))
const isGroup = (name: string) => SETTINGS.some((known) => known.startsWith(`${name}.`))

/** What a mention names that is not there: its options may stand for themselves, its arguments for anything. */
async function unknownIn(mention: string): Promise<string | undefined> {
  const [first = '', ...rest] = words(mention)
  const program = await programWith(first)
  let command = program.commands.find((one) => one.name() === first)
  if (!command) return `there is no command ${first}`
  for (const word of rest) {
    if (/^[<$[.]/.test(word) || word === '--help') break
    const within: Command | undefined = command.commands.find((one) => one.name() === word)
    if (within) command = within
    else if (command.commands.length > 0) return `there is no ${command.name()} ${word}`
    else if (word.startsWith('--') && !command.options.some(({ long }) => long === word.replace(/=.*/, '')))
      return `${command.name()} has no ${word}`
  }
  return undefined
}

const EXAMPLES = [...PAGES, ...filesUnder(['src/cli'], /\.ts$/)].flatMap((file) =>
  linesOf(file).map((line) => ({ file, line })),
)
const MENTIONS = [...PAGES, ...SOURCES].flatMap((file) => mentionsOf(file).map((line) => ({ file, line })))

/** Where what is wrong, in the order of the lines. */
async function wrongAmong(lines: typeof EXAMPLES, whatIsWrong: (line: string) => Promise<string | undefined>) {
  const wrong: string[] = []
  for (const { file, line } of lines) {
    const why = await whatIsWrong(line)
    if (why !== undefined) wrong.push(`${file}: duet ${line}: ${why}`)
  }
  return wrong
}

describe('a command', () => {
  it('that a page or a help text shows can be typed as it stands', async () => {
    expect(EXAMPLES.length).toBeGreaterThan(100)
    expect(await wrongAmong(EXAMPLES, refusal)).toEqual([])
  }, 300_000) // it reads the whole program

  it('that a text or a message names is there, with its options', async () => {
    expect(MENTIONS.length).toBeGreaterThan(150)
    expect(await wrongAmong(MENTIONS, unknownIn)).toEqual([])
  })

  it.each([
    ['fleet invite runs/arms left --confg lab.yaml', "unknown option '--confg'"],
    ['train --set learner.discout=0.9', 'there is no setting learner.discout'],
    ['train --preset small', 'Allowed choices are'],
    ['eval --trials', 'argument missing'],
    ['fleet invite runs/arms', "missing required argument 'robot'"],
  ])('that is wrong is found: duet %s', async (line, why) => expect(await refusal(line)).toContain(why))

  it.each([
    ['robot clean', 'there is no robot clean'],
    ['fleet roll-back <run> --newest', undefined],
    ['log repair --force', 'repair has no --force'],
    ['trian', 'there is no command trian'],
  ])('that is wrong in a text is found, what stands for something else is not: duet %s', async (line, why) =>
    expect(await unknownIn(line)).toBe(why),
  )
})

describe('a setting', () => {
  it('that a page names is there', () => {
    const named = PAGES.filter((page) => page !== 'CHANGELOG.md').flatMap((page) =>
      [...read(page).matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z]+)+)(?:[= ][^`]*)?`/g)]
        .map(([, name]) => name!)
        .filter((name) => GROUPS.has(name.split('.')[0]!) && !NO_SETTINGS.includes(name))
        .map((name) => ({ page, name })),
    )
    expect(named.length).toBeGreaterThan(60)
    expect(named.filter(({ name }) => !isSetting(name) && !isGroup(name))).toEqual([])
  })
})

describe('a script', () => {
  it('that a page names is there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const texts = PAGES.map(read).join('\n')
    const run = [...texts.matchAll(/npm run ([\w-]+)/g)].map(([, name]) => name!)
    const files = [...texts.matchAll(/tsx ((?:scripts|bench)\/[\w./-]+)/g)].map(([, file]) => file!)
    expect([run.length > 20, files.length > 8]).toEqual([true, true])
    expect(run.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
  })
})

describe('an example of settings', () => {
  const blocks = PAGES.flatMap((page) =>
    [...read(page).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => ({ page, text })),
  )

  it('is taken as it stands', () => {
    expect(blocks.length).toBeGreaterThan(8)
    for (const { page, text } of blocks) {
      const settings = parse(text!) as { cameras?: unknown }
      if (settings.cameras) expect(() => parseCameras(page, settings.cameras)).not.toThrow()
      else expect(() => parseConfig(page, onPreset(USUAL_PRESET, settings))).not.toThrow()
    }
  })
})
