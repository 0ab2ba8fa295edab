/** @file Parsers of option values. */
import { InvalidArgumentError } from 'commander'

export function wholeNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number, 0 or more.')
  return value
}

export function portNumber(text: string): number {
  const value = wholeNumber(text)
  if (value > 65_535) throw new InvalidArgumentError('Give a number from 0 to 65535; 0 takes a free one.')
  return value
}
