/**
 * @file Finds the folders with golden numbers: below DUET_FIXTURES if it is set, else below ../shared/fixtures next to
 * the checkout, else the copies in tests/fixtures. A folder is known by its files, not by its name.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, it } from 'vitest'

const COPIES = resolve(import.meta.dirname, 'fixtures')
const SHARED = resolve(import.meta.dirname, '../../shared/fixtures')
const GIVEN = process.env.DUET_FIXTURES

const has = (folder: string, ...files: string[]) => files.every((file) => existsSync(join(folder, file)))

const config = (folder: string): Record<string, unknown> =>
  has(folder, 'config.json') ? JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) : {}

/** What makes a folder a set of its kind. */
const KINDS = {
  losses: (folder: string) => has(folder, 'manifest.json'),
  tokenizer: (folder: string) => has(folder, 'cases.json', 'tokenizer.json'),
  t5: (folder: string) => has(folder, 'expected.safetensors') && config(folder).model_type === 't5',
  resnet10: (folder: string) => has(folder, 'expected.safetensors', 'resnet10_params.pkl'),
  smolvla: (folder: string) => has(folder, 'expected.safetensors') && config(folder).type === 'smolvla',
  octo: (folder: string) => has(folder, 'expected.safetensors', 'example_batch.msgpack'),
  lerobot: (folder: string) => has(folder, 'meta/info.json', 'data'),
}

/** Of these there are no copies: their own tests make what they need, and skip the sets where there are none. */
const NEVER_COPIED: readonly string[] = ['lerobot']

export type FixtureKind = keyof typeof KINDS
export type FixtureSet = { name: string; folder: string }

const DEEPEST = 6

function foldersBelow(root: string, depth = 0): string[] {
  if (depth > DEEPEST || !existsSync(root)) return []
  const isFolder = (name: string) => statSync(join(root, name), { throwIfNoEntry: false })?.isDirectory() // links too
  const folders = readdirSync(root).filter((name) => isFolder(name) && name !== 'node_modules' && !name.startsWith('.'))
  return [root, ...folders.flatMap((name) => foldersBelow(join(root, name), depth + 1))]
}

function setsBelow(kind: FixtureKind, root: string): FixtureSet[] {
  const folders = foldersBelow(root).filter(KINDS[kind])
  return folders.map((folder) => ({ name: relative(root, folder) || '.', folder }))
}

/**
 * The sets of one kind. With DUET_FIXTURES there may be none, as long as the folder has a set of some kind.
 * @throws Error if there is nothing to check
 */
function fixtureSets(kind: FixtureKind): FixtureSet[] {
  if (GIVEN === undefined) {
    const shared = setsBelow(kind, SHARED)
    const sets = shared.length ? shared : setsBelow(kind, COPIES)
    if (sets.length === 0 && !NEVER_COPIED.includes(kind)) throw new Error(`tests/fixtures has no set of kind ${kind}`)
    return sets
  }
  const sets = setsBelow(kind, resolve(GIVEN))
  if (
    sets.length === 0 &&
    !foldersBelow(resolve(GIVEN)).some((folder) => Object.values(KINDS).some((is) => is(folder)))
  )
    throw new Error(`DUET_FIXTURES=${GIVEN} has no fixture set of any kind (${Object.keys(KINDS).join(', ')})`)
  return sets
}

/** Registers the same tests for every set of one kind; where there are none, they are shown as skipped. */
export function describeSets(kind: FixtureKind, tests: (set: FixtureSet) => void | Promise<void>): void {
  const sets = fixtureSets(kind)
  if (sets.length === 0) it.skip(`no set of kind ${kind} is at hand`, () => undefined)
  for (const set of sets) describe(`${kind} set ${set.name}`, () => tests(set))
}
