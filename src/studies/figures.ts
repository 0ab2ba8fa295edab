/** @file Figures of tables as they are printed, with their intervals. */
import type { Estimate } from '../metrics/crossed.ts'

export const figure = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))
const signed = (value: number) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(1)}`

/** A share in percent; alone where nothing is known of how it scatters. */
export const shares = ({ value, interval: [low, high] }: Estimate) =>
  figure(100 * value) +
  (Number.isFinite(high - low) ? ` (${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)})` : '')

/** The difference of two shares in points. */
export const points = ({ value, interval: [low, high] }: Estimate) =>
  `${signed(100 * value)} (${signed(100 * low)} to ${signed(100 * high)})`

/** A length; "-" where no trial counted. */
export const steps = ({ value, interval: [low, high] }: Estimate) =>
  Number.isNaN(value) ? '-' : `${value.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`

/** The difference of two lengths. */
export const signedSteps = ({ value, interval: [low, high] }: Estimate) =>
  Number.isNaN(value) ? '-' : `${signed(value)} (${signed(low)} to ${signed(high)})`
