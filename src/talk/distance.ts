/** @file Distances in words: "20 mm", "2.5 cm", "two centimetres". */

/** Metres that may be asked for at a time: less is within what an arm trails behind, more is a journey that nobody watches. */
export const DISTANCES = { least: 0.005, most: 0.1 }

const METRES: Readonly<Record<string, number>> = {
  ...unit(0.001, 'mm|millimetre|millimetres|millimeter|millimeters'),
  ...unit(0.01, 'cm|centimetre|centimetres|centimeter|centimeters'),
  ...unit(1, 'metre|metres|meter|meters'),
  ...unit(0.0254, 'inch|inches'),
}

const COUNTS = 'one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve'.split('|')
const TENS = 'ten|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety'.split('|')

function unit(metres: number, names: string): Record<string, number> {
  return Object.fromEntries(names.split('|').map((name) => [name, metres]))
}

export const UNITS: readonly string[] = Object.keys(METRES)

/** What a number and a unit are in metres; undefined where they are none. */
export function metresOf(count: string, unit: string): number | undefined {
  const [number, metres] = [numberOf(count), Object.hasOwn(METRES, unit) ? METRES[unit] : undefined]
  return number === undefined || metres === undefined ? undefined : number * metres
}

function numberOf(word: string): number | undefined {
  if (/^\d+(?:[.,]\d+)?$/.test(word)) return Number(word.replace(',', '.'))
  if (TENS.includes(word)) return 10 * (TENS.indexOf(word) + 1)
  return COUNTS.includes(word) ? COUNTS.indexOf(word) + 1 : undefined
}

/** How long a command with a distance lasts at most, seconds: at a centimetre a second, half of an arm's pace, and one to begin. */
export const secondsFor = (metres: number): number => 1 + 100 * metres
