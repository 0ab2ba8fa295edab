/** @file The tests that pages name are there, under these titles. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { MEANINGS } from '../../scripts/meanings-list.ts'
import { read, root } from './files.ts'

/** A title as a page has it: without the quotes' backslashes, a value of each case as %. */
const plain = (title: string) =>
  title.replaceAll(/\\(["'`|])/g, '$1').replaceAll(/\$\{[^}]*\}|\$\w+|%[sdji](?: %)?/g, '%')

const LITERAL = /'((?:[^'\\\n]|\\.)+)'|"((?:[^"\\\n]|\\.)+)"|`((?:[^`\\]|\\.)+)`/g

/** All that could be a title in a file of tests, and in those beside it that it makes its own. */
function textsOf(file: string): string[] {
  const text = read(file)
  const own = [...text.matchAll(LITERAL)].map(([, ...found]) => plain(found.find((one) => one !== undefined)!))
  const specs = [...text.matchAll(/from '\.\/([\w-]+-spec\.ts)'/g)].map(([, name]) => join(dirname(file), name!))
  return [...own, ...specs.flatMap(textsOf)]
}

const CASES = ['docs/cases.md', 'docs/cases-files.md'].flatMap((page) => {
  const held = [...read(page).matchAll(/^\| .* \| (.+) \|$/gm)].map(([, last]) => last).join('\n')
  let file = '' // that of the row before, where one says "the same file"
  return [...held.matchAll(/`(tests\/[\w./-]+)`|"((?:[^"\\]|\\.)+)"/g)].flatMap(([, named, title]) => {
    if (named !== undefined) file = named
    return title === undefined ? [] : [{ file, title: plain(title) }]
  })
})

it('of cases that broke for people elsewhere', () => {
  expect(CASES.length).toBeGreaterThan(80)
  const files = [...new Set(CASES.map(({ file }) => file))]
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
  const texts = new Map(files.map((file) => [file, textsOf(file)]))
  // A long title is named by its beginning.
  expect(CASES.filter(({ file, title }) => !texts.get(file)!.some((text) => text.startsWith(title)))).toEqual([])
})

it('of changes of meaning, each by its own row', () => {
  const rows = [...read('docs/mutations.md').matchAll(/^\| (.+) \| `src\/(.+)` \| `(tests\/.+)`: (.+) \|$/gm)]
  const told = rows.map(([, what, file, test]) => ({ what, file, test }))
  expect(told).toEqual(MEANINGS.map(({ what, file, test }) => ({ what: what.replaceAll('|', '\\|'), file, test })))
  const untold = rows.filter(([, , , test, title]) => !textsOf(test!).some((text) => endsWith(plain(title!), text)))
  expect(untold.map(([, , , test, title]) => `${test}: ${title}`)).toEqual([])
})

/** `text`: a title, with % for what each case has in its place. */
function endsWith(whole: string, text: string): boolean {
  const parts = text.split('%').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return text.length > 12 && new RegExp(`${parts.join('.+')}$`).test(whole)
}
