import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesUnder, read } from './files.ts'

const CODE = /\.(ts|tsx|mjs)$/
const FILES = filesUnder(['src', 'tests', 'bench', 'scripts'], /./).filter(
  (file) => !file.startsWith('tests/fixtures/'),
)
const SOURCES = FILES.filter((file) => file.startsWith('src/') && CODE.test(file))

/** The glossary of CONTRIBUTING.md: the words that name things, and those that were given up for them. */
const ROWS = [...read('CONTRIBUTING.md').matchAll(/^\| ([a-z -]+) \| [^|]+ \| ([a-z, ]*)\|$/gm)]
const GLOSSARY = ROWS.map(([, word]) => word).filter((word) => word !== 'word')
const RETIRED = ROWS.flatMap(([, , words]) => words!.split(/,| /)).filter((word) => word !== '' && word !== 'not')

/** Names that stand in several files on purpose. */
const SHARED_NAMES: Readonly<Record<string, string>> = {
  register: 'each command of the program registers itself',
  experiment: 'each experiment is listed by this name',
  sectionOf: 'each experiment makes its section of the results',
  add: 'of tensors in the graph, of vectors in the simulator',
  mean: 'of a tensor in the graph, of measured numbers in the statistics',
  task: 'each file of a task of the workcell exports it by this name',
  nano: 'the encoder in the list of encoders, and its network',
  octo: 'the encoder in the list of encoders, and its network',
}

/** "ReplayBuffer" and "replay-buffer" are the words replay and buffer. */
const wordsOf = (name: string) =>
  (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map((word) => word.toLowerCase().replace(/(?<=..[^s])s$/, ''))

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
const EXPORTED =
  /^export (?:(?:declare|abstract|async) )*(?:const|let|function\*?|class|type|interface|enum) ([A-Za-z_]\w*)/gm
const exportedNames = (text: string) => [...new Set([...text.matchAll(EXPORTED)].map(([, name]) => name))]

/** Names by the files that export them, of those in several files. */
function inSeveralFiles(sources: readonly { file: string; text: string }[]): Record<string, string[]> {
  const homes = new Map<string, string[]>()
  for (const { file, text } of sources)
    for (const name of exportedNames(text)) homes.set(name!, [...(homes.get(name!) ?? []), file])
  return Object.fromEntries([...homes].filter(([, files]) => files.length > 1))
}

const retiredIn = (name: string, retired: readonly string[]) =>
  wordsOf(name).some((word) => retired.some((one) => wordsOf(one).includes(word)))

describe('file names', () => {
  it('are in kebab-case, as their folders are', () => {
    const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/
    expect(FILES.length).toBeGreaterThan(400)
    expect(FILES.filter((file) => !file.split('/').every((part) => KEBAB.test(part)))).toEqual([])
  })

  it('use no word that was given up', () =>
    expect(FILES.filter((file) => retiredIn(basename(file), RETIRED))).toEqual([]))
})

describe('the glossary', () => {
  const identifiers = SOURCES.flatMap((file) => withoutComments(read(file)).match(/[A-Za-z_]\w*/g) ?? [])
  const used = new Set([...new Set(identifiers)].flatMap(wordsOf))

  it('has each word once, and gives up none that it uses', () => {
    expect(GLOSSARY.length).toBeGreaterThan(29)
    expect(new Set([...GLOSSARY, ...RETIRED]).size).toBe(GLOSSARY.length + RETIRED.length)
  })

  it.each(GLOSSARY)('means something that is in the code: %s', (word) =>
    expect(wordsOf(word!).filter((part) => !used.has(part))).toEqual([]),
  )
})

describe('exported names', () => {
  const sources = SOURCES.map((file) => ({ file, text: read(file) }))

  it('use no word that was given up', () => {
    const names = sources.flatMap(({ file, text }) => exportedNames(text).map((name) => `${name} of ${file}`))
    expect(names.length).toBeGreaterThan(1000)
    expect(names.filter((name) => retiredIn(name.split(' ')[0]!, RETIRED))).toEqual([])
  })

  it('stand in one file each, but for those with a reason', () => {
    const several = inSeveralFiles(sources)
    expect(Object.keys(SHARED_NAMES).filter((name) => !several[name])).toEqual([])
    for (const name of Object.keys(SHARED_NAMES)) delete several[name]
    expect(several).toEqual({})
  })
})

describe('these tests', () => {
  it('take a name apart into its words, without a plural', () => {
    expect(wordsOf('lock-step')).toEqual(['lock', 'step'])
    expect(wordsOf('ONLINE_WEIGHTS')).toEqual(['online', 'weight'])
    expect(wordsOf('holdRobots')).toEqual(['hold', 'robot'])
  })

  it('see a retired word inside of a name, and not in another word', () => {
    expect(retiredIn('DeskOptions', ['desk'])).toBe(true)
    expect(retiredIn('cell-desks.ts', ['desk'])).toBe(true)
    expect(retiredIn('ReinsOptions', ['reins'])).toBe(true)
    expect(retiredIn('desktopOf', ['desk'])).toBe(false)
  })

  it('see a name that two files export, whatever it is, and overloads of one file as one', () => {
    const twice = inSeveralFiles([
      {
        file: 'a.ts',
        text: 'export type Frame = number\nexport function once(): void\nexport function once(x = 1) {}',
      },
      { file: 'b.ts', text: '// export type Other\nexport class Frame {}\nconst Other = 1\nexport { Other }' },
    ])
    expect(twice).toEqual({ Frame: ['a.ts', 'b.ts'] })
  })
})
