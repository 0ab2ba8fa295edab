import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

it.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s names only files that are there', (document) => {
  const text = readFileSync(join(root, document), 'utf8')
  const inCode = [...text.matchAll(/`((?:src|tests|bin|scripts|docs|bench|\.ci)\/[\w./-]+)`/g)]
  const links = [...text.matchAll(/\]\((?!http)([^)]+)\)/g)]
  const named = [...inCode, ...links].map(([, path]) => path)
  expect(named.length).toBeGreaterThan(2)
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
})
