/** @file What a process is loaded from: the bundle of exactly this source, or else the source. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const clone = mkdtempSync(join(tmpdir(), 'duet-load-'))
afterAll(() => rmSync(clone, { recursive: true }))

function lay(file: string, text: string): void {
  mkdirSync(dirname(join(clone, file)), { recursive: true })
  writeFileSync(join(clone, file), text)
}

const run = (code: string) =>
  execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: clone, encoding: 'utf8' }).trim()
const stamp = () => run(`console.log((await import('./scripts/source-stamp.mjs')).sourceStamp())`)
const loaded = () => run(`console.log((await (await import('./bin/program.mjs')).openModule('talk/part')).from)`)

beforeAll(() => {
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  lay('src/talk/part.ts', `export const from: string = 'the source'`)
  lay('src/console/web/page.ts', '')
  lay('scripts/bundle.mjs', '')
  lay('bin/none', '')
  for (const file of ['bin/program.mjs', 'scripts/source-stamp.mjs']) copyFileSync(join(root, file), join(clone, file))
  lay('package.json', '{ "type": "module" }')
})

it('is the source where there is no bundle', () => expect(loaded()).toBe('the source'))

it('is the bundle of the source as it stands, and of no other, newer or older', () => {
  lay('build/program/talk/part.js', `export const from = 'the bundle'`)
  lay('build/program/stamp', stamp())
  expect(loaded()).toBe('the bundle')
  lay('src/console/web/page.ts', 'changed') // the page has a bundle of its own
  expect(loaded()).toBe('the bundle')
  utimesSync(join(clone, 'src/talk/part.ts'), 1000, 1000)
  expect(loaded()).toBe('the source')
  lay('build/program/stamp', stamp())
  expect(loaded()).toBe('the bundle')
  lay('src/talk/other.ts', '') // rooms are read as folders: a file more may be a task more
  expect(loaded()).toBe('the source')
})
