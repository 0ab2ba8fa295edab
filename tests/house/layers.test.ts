import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** Highest first; a room may import from its own layer and from those below. ARCHITECTURE.md has the same list. */
const LAYERS = [
  ['cli'],
  ['studies'],
  ['console'],
  ['review'],
  ['run'],
  ['loop'],
  ['link'],
  ['learn', 'pretrain'],
  ['robots'],
  ['vla'],
  ['metrics', 'formats'],
  ['replay'],
  ['talk'],
  ['robot', 'operator'],
  ['nets'],
  ['graph'],
  ['random', 'float16.ts', 'errors.ts'],
]

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(ts|mjs)$/.test(file))
const roomOf = (file: string) => file.split('/')[0]
const layerOf = (room: string) => LAYERS.findIndex((rooms) => rooms.includes(room))

/** Paths below src that a file imports, static and dynamic. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  const paths = [...text.matchAll(/(?:from|import\(?)\s*'(\.[^']+)'/g)].map(([, path]) => path)
  return paths.map((path) => relative(source, resolve(source, dirname(file), path)))
}

describe('rooms', () => {
  it('are all in the list of layers', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(files.filter((file) => layerOf(roomOf(file)) < 0)).toEqual([])
  })

  it('import from their own layer and from those below, never from above', () => {
    const upward = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => layerOf(roomOf(target)) < layerOf(roomOf(file)))
        .map((target) => `${file} -> ${target}`),
    )
    expect(upward).toEqual([])
  })

  it('do not look into what the report is not made of: metrics, not learners or robots', () => {
    const report = files.filter((file) => file.startsWith('review/report/'))
    expect(report.length).toBeGreaterThan(5)
    const foreign = report
      .flatMap(importsOf)
      .filter((target) => !['review', 'metrics', 'run', 'random', 'errors.ts'].includes(roomOf(target)))
    expect(foreign).toEqual([])
  })

  it('reach a kind of robot through the registry; only what belongs to the simulator knows it by name', () => {
    const allowed = /^(robots\/index\.ts|robots\/workcell\/|studies\/|pretrain\/|cli\/(demo|doctor))/
    const kinds = readdirSync(join(source, 'robots'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(kinds.map(({ name }) => name)).toContain('workcell')
    const insiders = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => kinds.some(({ name }) => target.startsWith(`robots/${name}/`)))
        .filter((target) => !file.startsWith(target.split('/').slice(0, 2).join('/')))
        .filter(
          (target) => !(allowed.test(file) && (target.startsWith('robots/workcell/') || file === 'robots/index.ts')),
        )
        .map((target) => `${file} -> ${target}`),
    )
    expect(insiders).toEqual([])
  })
})
