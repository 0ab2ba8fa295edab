import { expect, it } from 'vitest'
import { differences, flatSettings } from '../../src/run/differences.ts'

it('flatten gives dotted names; lists are values', () => {
  expect(flatSettings({ a: { b: 1, c: { d: null } }, e: [1, 2] })).toEqual({ 'a.b': 1, 'a.c.d': null, e: [1, 2] })
})

it('differences are named in the order of the first; undefined is absent', () => {
  const first = { a: 1, b: { c: 2, d: [1] }, e: undefined }
  const second = { b: { d: [1, 2], c: 3 }, a: 1, f: 0 }
  expect(differences(first, second)).toEqual([
    { name: 'b.c', first: 2, second: 3 },
    { name: 'b.d', first: [1], second: [1, 2] },
    { name: 'f', first: undefined, second: 0 },
  ])
  expect(differences(first, structuredClone(first))).toEqual([])
})
