/** @file Shares as people read them. */

/** "12 %" of 0.12; "-" where there is nothing to take a share of. */
export const percent = (share: number, digits = 0): string =>
  Number.isNaN(share) ? '-' : `${(100 * share).toFixed(digits)} %`
