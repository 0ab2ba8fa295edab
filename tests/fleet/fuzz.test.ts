import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { fuzz } from './fuzz.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** `npx tsx scripts/fuzz-wire.ts` throws a million. */
it('mangled bytes on the wire are refused by name, or count as what they are; nothing falls over them', async () => {
  const { strange, refused, sessions, taken } = await fuzz(3000, 1, folder)
  expect(strange).toEqual([])
  expect(refused).toBeGreaterThan(500)
  expect(sessions).toBeGreaterThan(5) // so many were not so damaged
  expect(taken).toBeGreaterThan(15 * 3) // good ones come in between
})
