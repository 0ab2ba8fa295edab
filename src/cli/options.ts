/** @file Parsers of option values. */
import { InvalidArgumentError } from 'commander'

export function wholeNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number, 0 or more.')
  return value
}
