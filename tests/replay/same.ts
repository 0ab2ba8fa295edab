/** @file Whether episodes are the same, of hundreds with their pictures: Vitest, slow at these, is asked only where they differ. */
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { LoggedEpisode } from '../../src/replay/index.ts'

export function expectSame(got: LoggedEpisode, wanted: LoggedEpisode): void {
  if (!isDeepStrictEqual(got, wanted)) expect(got).toEqual(wanted)
}
