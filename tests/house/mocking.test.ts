/** @file Test files that replace modules run in a process of their own: in a shared one they find those that others loaded, or leave theirs. */
import { expect, it } from 'vitest'
import { MOCKING } from '../../vitest.config.ts'
import { filesUnder, read } from './files.ts'

it('every test file that replaces a module is named where such files are kept apart', () => {
  const mocking = filesUnder(['tests'], /\.test\.ts$/).filter((file) => /^vi\.mock\(/m.test(read(file)))
  expect(mocking.sort()).toEqual(MOCKING.map((name) => `tests/${name}.test.ts`).sort())
})
