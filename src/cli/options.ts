/** @file Parsers of option values, and options that several commands have. */
import { InvalidArgumentError, Option } from 'commander'
import { REGIME_NAMES } from '../studies/regimes.ts'

export function wholeNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number, 0 or more.')
  return value
}

export function countNumber(text: string): number {
  const value = wholeNumber(text)
  if (value < 1) throw new InvalidArgumentError('Give a whole number, 1 or more.')
  return value
}

/** From 0 to 1, or to `most`. */
export const shareNumber =
  (most = 1) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!(value >= 0 && value <= most)) throw new InvalidArgumentError(`Give a number from 0 to ${most}.`)
    return value
  }

export function portNumber(text: string): number {
  const value = wholeNumber(text)
  if (value > 65_535) throw new InvalidArgumentError('Give a number from 0 to 65535; 0 takes a free one.')
  return value
}

/** Settings in which methods can differ, by name. */
export const regimeOption = () =>
  new Option(
    '--regime <name>',
    `settings of scene, demonstrations and operator on top of the preset: ${REGIME_NAMES.join(', ')}`,
  ).choices(REGIME_NAMES)
