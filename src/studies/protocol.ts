/** @file The protocol of figures: what settings are chosen on, and what is reported, share no training seed and no start. */
import { InputError } from '../errors.ts'

/** For choosing settings, or for the figures that are published: nobody looks at these before the recipe is frozen. */
export type Purpose = 'tuning' | 'reporting'

/**
 * `firstStart`: seed of the first evaluation start; training of a run takes its starts from below its own. Seeds 10 to 14 were
 * looked at with earlier recipes (decisions 52 and 68).
 */
export const PROTOCOL: Readonly<Record<Purpose, { seeds: number[]; firstStart: number; trials: number }>> = {
  tuning: { seeds: [0, 1, 2], firstStart: 1_000_000, trials: 25 },
  reporting: { seeds: [15, 16, 17], firstStart: 3_000_000, trials: 100 },
}

const FIRST_REPORTING_SEED = PROTOCOL.reporting.seeds[0]!

/** @throws InputError if a training seed belongs to the other purpose */
export function checkSeeds(purpose: Purpose, seeds: readonly number[]): void {
  const strange = seeds.find((seed) => seed >= FIRST_REPORTING_SEED !== (purpose === 'reporting'))
  if (strange === undefined) return
  throw new InputError(
    `training seed ${strange}`,
    purpose === 'tuning'
      ? `is kept for reporting, as all from ${FIRST_REPORTING_SEED} on are`
      : `is one that settings were chosen on, as all below ${FIRST_REPORTING_SEED} may be`,
    purpose === 'tuning' ? 'Choose settings on smaller ones' : 'Report larger ones, or say --tuning',
  )
}
