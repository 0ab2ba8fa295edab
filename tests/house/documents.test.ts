import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesUnder, read, root } from './files.ts'

const FRONT = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']
const WRITTEN = [...FRONT, ...filesUnder(['src', 'tests', 'bench', 'scripts', 'docs'], /\.(ts|tsx|mjs|md)$/)]
const PAGES = WRITTEN.filter((file) => file.startsWith('docs/') && file.endsWith('.md'))

/** "# 3. Title" and "## 3. Title" open section 3. */
const sectionsOf = (page: string) => [...read(page).matchAll(/^#+ (\d+)\. /gm)].map(([, number]) => number)
const SECTIONS = new Map(PAGES.map((page) => [page, sectionsOf(page)]))
const DECISIONS = PAGES.flatMap((page) => /^docs\/decisions\/(\d{4})-/.exec(page)?.[1] ?? []).map(Number)

const LIST = /§\s*[\dIVX]+(?:\.\d+)?(?:(?:,| and|, and) §\s*[\dIVX]+(?:\.\d+)?)*/
const PAGE_AND_SECTIONS = new RegExp(`(docs/[\\w/-]+\\.md) (${LIST.source})`, 'g')
const PAPER_AND_SECTIONS = new RegExp(`arXiv \\d{4}\\.\\d{4,5} ${LIST.source}`, 'g')

/** A comment or paragraph that runs over several lines as one line. */
const unwrapped = (text: string) => text.replace(/\n\s*(?:\*|\/\/)?[ \t]*/g, ' ')

/** What a text cites and the repository does not have; `file` is where it stands. */
function missing(file: string, text: string): string[] {
  const running = unwrapped(text)
  const notThere: string[] = []

  const withoutLinks = running.replace(/https?:\/\/[^\s)'"`]+/g, '')
  for (const [document] of withoutLinks.matchAll(/(?<![\w./@-])[\w./-]*\w\.md\b/g)) {
    const places = [document, join(dirname(file), document), join('docs', document)]
    if (!places.some((place) => existsSync(join(root, normalize(place))))) notThere.push(document)
  }

  const elsewhere = running
    .replace(PAPER_AND_SECTIONS, '')
    .replace(PAGE_AND_SECTIONS, (_, page: string, list: string) => {
      for (const [, section] of list.matchAll(/§\s*([\dIVX]+)/g))
        if (!SECTIONS.get(page)?.includes(section)) notThere.push(`${page} §${section}`)
      return ''
    })
  // A bare § means the page that it stands on; in code it means nothing.
  for (const [, section] of elsewhere.matchAll(/§\s*([\dIVX]+)/g))
    if (!SECTIONS.get(file)?.includes(section)) notThere.push(`§${section}`)

  for (const [, list] of running.matchAll(/\bdecisions? (\d+(?:(?:,| and|, and| to) \d+)*)/g))
    for (const [number] of list!.matchAll(/\d+/g))
      if (!DECISIONS.includes(Number(number))) notThere.push(`decision ${number}`)
  return notThere
}

describe('documents', () => {
  it.each(FRONT)('%s names only files that are there', (document) => {
    const text = read(document)
    const inCode = [...text.matchAll(/`((?:src|tests|bin|scripts|docs|bench|\.ci)\/[\w./-]+)`/g)]
    const links = [...text.matchAll(/\]\((?!http)([^)]+)\)/g)]
    const named = [...inCode, ...links].map(([, path]) => path)
    expect(named.length).toBeGreaterThan(2)
    expect(named.filter((path) => !existsSync(join(root, path!)))).toEqual([])
  })

  it('number their decisions once each, as their files are numbered', () => {
    expect(DECISIONS.length).toBeGreaterThan(25)
    expect(new Set(DECISIONS).size).toBe(DECISIONS.length)
    for (const page of PAGES.filter((page) => page.startsWith('docs/decisions/')))
      expect(read(page)).toMatch(new RegExp(`^# ${Number(page.slice(15, 19))}\\. `))
  })

  it('exist, and have every section, wherever code, tests and pages cite them', () => {
    const cited = WRITTEN.filter((file) => !file.startsWith('tests/house/')).flatMap((file) =>
      missing(file, read(file)).map((what) => `${file}: ${what}`),
    )
    expect(cited).toEqual([])
  })

  it('are the ones that the golden numbers of the losses name', () => {
    const { cases } = JSON.parse(read('tests/fixtures/losses/manifest.json')) as { cases: { paper: string }[] }
    const named = cases.flatMap(({ paper }) => [...paper.matchAll(/§(\d+)/g)].map(([, section]) => section))
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((section) => !SECTIONS.get('docs/method.md')?.includes(section))).toEqual([])
  })
})

describe('a citation that leads nowhere is found', () => {
  const found = (text: string) => missing('src/learn/losses/means.ts', text)

  it.each([
    ['a page that is not in the repository', '/** The loss (paper.md §4). */', ['paper.md', '§4']],
    ['a page of another folder', '// see ../reference/octo.md', ['../reference/octo.md']],
    ['a page that was taken away', '// docs/gone.md has it', ['docs/gone.md']],
    ['a section that a page does not have', '/** docs/method.md §3, §99 */', ['docs/method.md §99']],
    ['a section over the end of a line', '/**\n * docs/method.md §3,\n * §98\n */', ['docs/method.md §98']],
    ['a section of nothing', '// (§3)', ['§3']],
    ['a decision that was never taken', '// decisions 2 and 999', ['decision 999']],
  ])('%s', (_, text, expected) => expect(found(text)).toEqual(expected))

  it.each([
    ['of pages by their path', '// docs/method.md §3, §12 and docs/simulator.md §8: both'],
    ['of published papers', '/**\n * (arXiv 1512.03385\n * §4.1, in Flax; arXiv 2405.12213 §III)\n */'],
    ['of pages on the web', '// https://example.org/a/page.md'],
    ['of decisions', '// decisions 20 to 24'],
  ])('while one %s is not', (_, text) => expect(found(text)).toEqual([]))
})
