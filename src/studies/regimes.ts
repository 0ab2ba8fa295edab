/** @file Regimes: settings under which every method is trained and evaluated alike. */
import type { Overrides } from './experiment.ts'

export type Regime = { name: string; title: string; overrides: Overrides }

export const REGIMES: readonly Regime[] = [
  { name: 'standard', title: 'strong operator', overrides: {} },
  { name: 'weak', title: 'weak operator', overrides: { operator: { strength: 'weak' } } },
  { name: 'none', title: 'no operator', overrides: { operator: { kind: 'none' } } },
]
