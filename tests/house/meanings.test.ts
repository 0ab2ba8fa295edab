/** @file The changes of meaning fit the code: each finds its place, once, and the test that is to fail is there. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { MEANINGS } from '../../scripts/meanings-list.ts'

it.each(MEANINGS)('$what: stands once in src/$file', ({ file, from, to, test }) => {
  const parts = readFileSync(`src/${file}`, 'utf8').split(from)
  expect(parts.length - 1).toBe(1)
  expect(to).not.toBe(from)
  expect(existsSync(test)).toBe(true)
})
