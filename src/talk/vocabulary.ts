/** @file The closed set of commands: what may be said, how it is written, and which direction it asks for. */

export type Axis = 'x' | 'y' | 'z'
export const AXES: readonly Axis[] = ['x', 'y', 'z']

/** -1, 0 or 1 along x, y and z of the robot's base frame. */
export type Direction = readonly [x: number, y: number, z: number]

/** How a frame's axes are called, and in which order they are said. */
export type AxisNames = {
  order: readonly Axis[]
  names: Record<Axis, readonly [positive: string, negative: string]>
}

/** x forward, y left, z up, said in the order y, x, z: "move right and forward and up" (docs/method.md §12). */
export const BASE_FRAME: AxisNames = {
  order: ['y', 'x', 'z'],
  names: { x: ['forward', 'backward'], y: ['left', 'right'], z: ['up', 'down'] },
}

export const NULL_COMMAND = '[null]'

/** The command that asks for the signs of `direction`; "[null]" for none. */
export function formatCommand(direction: Direction, axes: AxisNames = BASE_FRAME): string {
  const words = axes.order.flatMap((axis) => {
    const value = direction[AXES.indexOf(axis)]!
    return value === 0 ? [] : [axes.names[axis][value > 0 ? 0 : 1]]
  })
  return words.length ? `move ${words.join(' and ')}` : NULL_COMMAND
}

/** All 27 commands of a frame: "[null]", 6 directions, 12 pairs, 8 triples. "[null]" comes first. */
export function allCommands(axes: AxisNames = BASE_FRAME): string[] {
  const signs = [0, 1, -1]
  return signs.flatMap((x) => signs.flatMap((y) => signs.map((z) => formatCommand([x, y, z], axes))))
}

/** Other words that people use for the six directions of the base frame. */
export const SYNONYMS: Readonly<Record<string, string>> = {
  forwards: 'forward',
  ahead: 'forward',
  front: 'forward',
  back: 'backward',
  backwards: 'backward',
  leftward: 'left',
  leftwards: 'left',
  rightward: 'right',
  rightwards: 'right',
  upward: 'up',
  upwards: 'up',
  higher: 'up',
  raise: 'up',
  lift: 'up',
  downward: 'down',
  downwards: 'down',
  lower: 'down',
}

/** Words that carry no direction of their own. */
export const FILLERS: ReadonlySet<string> = new Set(
  'move go shift nudge push a bit little slightly some more please to the and then now it your toward towards'.split(
    ' ',
  ),
)
export const NOTHING: ReadonlySet<string> = new Set(['[null]', 'null', 'none', 'nothing', ''])
export const NEGATIONS: ReadonlySet<string> = new Set(["don't", 'dont', 'not', 'no', 'never', 'without'])

/** `direction` is what the understood words ask for; `unknown` are the words left over. */
export type PhraseReading = { direction: Direction; unknown: string[] }

/** Reads a free phrase. @returns null if it contradicts itself ("left and right") or negates ("don't go up") */
export function readPhrase(phrase: string, axes: AxisNames = BASE_FRAME): PhraseReading | null {
  const direction: [number, number, number] = [0, 0, 0]
  const unknown: string[] = []
  const text = phrase.trim().toLowerCase().replaceAll('’', "'")
  if (NOTHING.has(text)) return { direction, unknown }
  for (const raw of text.match(/[\p{L}\p{N}']+/gu) ?? []) {
    if (NEGATIONS.has(raw)) return null
    const word = SYNONYMS[raw] ?? raw
    const axis = AXES.findIndex((name) => axes.names[name].includes(word))
    if (axis >= 0) {
      const sign = axes.names[AXES[axis]!][0] === word ? 1 : -1
      if (direction[axis] === -sign) return null
      direction[axis] = sign
    } else if (!FILLERS.has(word)) unknown.push(word)
  }
  return { direction, unknown }
}

/**
 * The canonical command of what a person typed or said: "a bit to the left" is "move left".
 * @returns null if a word is not understood, or nothing was asked for without saying "[null]"
 */
export function parseCommand(phrase: string, axes: AxisNames = BASE_FRAME): string | null {
  const reading = readPhrase(phrase, axes)
  if (!reading || reading.unknown.length) return null
  const command = formatCommand(reading.direction, axes)
  return command === NULL_COMMAND && !NOTHING.has(phrase.trim().toLowerCase()) ? null : command
}

/** The inverse of `formatCommand`: signs along x, y, z. [0, 0, 0] where the phrase asks for no direction. */
export function commandDirection(command: string, axes: AxisNames = BASE_FRAME): Direction {
  return readPhrase(command, axes)?.direction ?? [0, 0, 0]
}
