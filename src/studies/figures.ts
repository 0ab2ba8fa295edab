/** @file Figures of tables as they are printed, with their intervals. */
import type { Estimate } from '../metrics/crossed.ts'

type Bounded = Pick<Estimate, 'value' | 'interval'>

export const figure = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))
const signed = (value: number) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(1)}`

/** A share in percent; alone where nothing is known of how it scatters. */
export const shares = ({ value, interval: [low, high] }: Bounded) =>
  figure(100 * value) +
  (Number.isFinite(high - low) ? ` (${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)})` : '')

/** The difference of two shares in points. */
export const points = ({ value, interval: [low, high] }: Bounded) =>
  `${signed(100 * value)} (${signed(100 * low)} to ${signed(100 * high)})`

/** A length; "-" where no trial counted, alone where nothing is known of how it scatters. */
export const steps = (estimate: Bounded) => lengths(estimate, (length) => length.toFixed(1))

/** The difference of two lengths. */
export const signedSteps = (estimate: Bounded) => lengths(estimate, signed)

function lengths({ value, interval: [low, high] }: Bounded, written: (length: number) => string): string {
  if (Number.isNaN(value)) return '-'
  return written(value) + (Number.isFinite(high - low) ? ` (${written(low)} to ${written(high)})` : '')
}
