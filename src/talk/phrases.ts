/**
 * @file Free phrases, "a bit to the left and up", by a closed grammar: either every word has a meaning here and the phrase
 * is a command, or it is refused with the reason and what could have been meant. Nothing is guessed. Before all that, one
 * word that halts the robot is enough (`halt-words.ts`).
 */
import { DISTANCES, metresOf } from './distance.ts'
import { haltIn } from './halt-words.ts'
import { LEXICON, LONGEST, meaningOf, type Size } from './lexicon.ts'
import { slipsBetween } from './slips.ts'
import {
  AXES,
  type AxisNames,
  allCommands,
  BASE_FRAME,
  type Direction,
  formatCommand,
  NULL_COMMAND,
} from './vocabulary.ts'

export type Understood = {
  command: string // canonical, see vocabulary.ts
  magnitude: { said: string; size: Size } | null // as said; a command steers by direction only: it is for how long it lasts
  distance?: { said: string; metres: number } // along each of its axes; it lasts until the tool has come so far
  understood: string // for the screen: "move left (a bit)"
}
export type Refused = {
  refused: string // the reason, a sentence
  suggestions: string[] // phrases that are understood, nearest first; may be empty
}
/** No command, but the wish that the robot stops, or waits. */
export type Halting = { stop: true; understood: string } | { pause: true; understood: string }
export type Phrase = Understood | Refused | Halting

/** Characters; nobody says more in one breath, and reading takes time. */
const LONGEST_PHRASE = 200

/** "-5 mm", not the hyphen of "left-5 mm". */
const SIGNED = /(?:^|\s)[-+−–]\d/

type Piece = { said: string; meaning: ReturnType<typeof meaningOf> | { kind: 'distance'; metres: number } }

/** What a phrase asks for. Never throws; takes time in proportion to the phrase, which is refused where it is too long. */
export function understandPhrase(phrase: string, axes: AxisNames = BASE_FRAME): Phrase {
  const halt = haltIn(phrase, axes)
  if (halt) return halt.kind === 'stop' ? { stop: true, understood: 'stop' } : { pause: true, understood: 'pause' }
  if (phrase.length > LONGEST_PHRASE) return refuse('That is too long for a command.', directionsOf(axes))
  if (SIGNED.test(phrase)) return refuse('The direction says which way: a distance has no sign.', directionsOf(axes))
  const pieces = piecesOf(phrase, axes)
  const find = (kind: string) => pieces.find(({ meaning }) => meaning?.kind === kind)
  const against = find('negation') ?? find('excess')
  if (against) return refuse(`I only know what to do, not what to leave: "${against.said}".`, opposite(pieces, axes))
  const remark = find('remark')
  if (remark) return refuse(`I only know what to do, not how it is: "${remark.said}".`, ['nothing'])
  const unknown = pieces.filter(({ meaning }) => !meaning)
  if (unknown.length) return refuseUnknown(pieces, unknown, axes)
  const idiom = straight(pieces, axes)
  if (idiom) return idiom
  for (const { said, meaning } of pieces) {
    if (meaning?.kind === 'beyond') return refuse(`"${said}": ${meaning.why}.`, without(pieces, axes))
    if (meaning?.kind === 'ambiguous')
      return refuse(
        `"${said}" can mean several things.`,
        meaning.directions.filter((word) => signOf(word, axes)).map((word) => `move ${word}`),
      )
  }
  return directionOf(pieces, axes)
}

function directionOf(pieces: readonly Piece[], axes: AxisNames): Phrase {
  const direction: [number, number, number] = [0, 0, 0]
  for (const { said, meaning } of pieces) {
    if (meaning?.kind !== 'direction') continue
    const [axis, sign] = signOf(meaning.word, axes)!
    if (direction[axis] === -sign) {
      const other = axes.names[AXES[axis]!][sign > 0 ? 1 : 0]
      const each = [-sign, sign].map((s) => formatCommand(withSign(direction, axis, s), axes))
      return refuse(`"${other}" and "${said}" contradict each other.`, each)
    }
    direction[axis] = sign
  }
  const command = formatCommand(direction, axes)
  const nothing = pieces.some(({ meaning }) => meaning?.kind === 'nothing')
  const distances = pieces.flatMap(({ said, meaning }) =>
    meaning?.kind === 'distance' ? [{ said, metres: meaning.metres }] : [],
  )
  if (nothing && (command !== NULL_COMMAND || distances.length > 0))
    return refuse('That says nothing and something at once.', ['nothing'])
  if (!nothing && command === NULL_COMMAND) return refuse('I hear no direction.', directionsOf(axes))
  if (distances.length > 0) return distant(command, distances)
  const size = pieces.find(({ meaning }) => meaning?.kind === 'size')
  if (command === NULL_COMMAND || size?.meaning?.kind !== 'size')
    return { command, magnitude: null, understood: command === NULL_COMMAND ? 'nothing asked' : command }
  const magnitude = { said: size.said, size: size.meaning.size }
  return { command, magnitude, understood: `${command} (${size.said})` }
}

function distant(command: string, distances: readonly { said: string; metres: number }[]): Phrase {
  const [distance, ...others] = distances as [{ said: string; metres: number }]
  if (others.length > 0)
    return refuse(
      'I take one distance at a time, the same along all that is said.',
      distances.map(({ said }) => `${command} ${said}`),
    )
  const { least, most } = DISTANCES
  const millimetres = (metres: number) => `${Math.round(1000 * metres)} mm`
  if (!(distance.metres >= least && distance.metres <= most))
    return refuse(`"${distance.said}": words ask for ${millimetres(least)} to ${millimetres(most)} at a time.`, [
      `${command} ${millimetres(distance.metres < least ? least : most)}`,
    ])
  return { command, magnitude: null, distance, understood: `${command} (${distance.said})` }
}

const withSign = (direction: Direction, axis: number, sign: number): Direction =>
  direction.map((value, i) => (i === axis ? sign : value)) as unknown as Direction

/** Expressions, longest first: "toward me" before "toward". */
function piecesOf(phrase: string, axes: AxisNames): Piece[] {
  const text = phrase.toLowerCase().replaceAll('’', "'").replaceAll(NULL_COMMAND, ' nothing ')
  const words = text.match(/\d+(?:[.,]\d+)?|[\p{L}\p{N}']+/gu) ?? []
  const pieces: Piece[] = []
  for (let i = 0; i < words.length; ) {
    const metres = metresOf(words[i]!, words[i + 1] ?? '')
    if (metres !== undefined) {
      pieces.push({ said: `${words[i]} ${words[i + 1]}`, meaning: { kind: 'distance', metres } })
      i += 2
      continue
    }
    let length = Math.min(LONGEST, words.length - i)
    while (length > 1 && !known(words.slice(i, i + length).join(' '), axes)) length--
    const said = words.slice(i, i + length).join(' ')
    pieces.push({ said, meaning: known(said, axes) })
    i += length
  }
  return pieces
}

/** The frame's own names come first; a direction that the frame does not have is not known. */
function known(expression: string, axes: AxisNames): Piece['meaning'] {
  if (signOf(expression, axes)) return { kind: 'direction', word: expression }
  const meaning = meaningOf(expression)
  return meaning?.kind === 'direction' && !signOf(meaning.word, axes) ? undefined : meaning
}

function signOf(word: string, axes: AxisNames): [axis: number, sign: 1 | -1] | undefined {
  const axis = AXES.findIndex((name) => axes.names[name].includes(word))
  return axis < 0 ? undefined : [axis, axes.names[AXES[axis]!][0] === word ? 1 : -1]
}

const refuse = (refused: string, suggestions: readonly string[]): Refused => ({
  refused,
  suggestions: [...suggestions],
})

const directionsOf = ({ order, names }: AxisNames) => order.flatMap((axis) => names[axis].map((name) => `move ${name}`))

/** The directions of a phrase whose other words cannot be followed. */
function without(pieces: readonly Piece[], axes: AxisNames): string[] {
  return [...new Set(signsIn(pieces, axes).map(([axis, sign]) => `move ${axes.names[AXES[axis]!][sign > 0 ? 0 : 1]}`))]
}

/** What "not left" or "too far left" could ask for: only where one direction, and nothing else, is spoken against. */
function opposite(pieces: readonly Piece[], axes: AxisNames): string[] {
  const excess = pieces.some(({ meaning }) => meaning?.kind === 'excess')
  const clear = pieces.every(
    ({ meaning }) => meaning && meaning.kind !== 'beyond' && (excess || meaning.kind !== 'remark'),
  )
  const signs = signsIn(pieces, axes)
  if (!clear || signs.length !== 1) return ['nothing']
  const [[axis, sign]] = signs as [[number, 1 | -1]]
  return [`move ${axes.names[AXES[axis]!][sign > 0 ? 1 : 0]}`, 'nothing']
}

const signsIn = (pieces: readonly Piece[], axes: AxisNames) =>
  pieces.flatMap(({ meaning }) => (meaning?.kind === 'direction' ? [signOf(meaning.word, axes)!] : []))

/** "right up" may mean straight up, or right and up. */
function straight(pieces: readonly Piece[], axes: AxisNames): Refused | undefined {
  const at = pieces.findIndex(
    ({ said, meaning }, i) => said === 'right' && meaning?.kind === 'direction' && i + 1 < pieces.length,
  )
  const [right, next] = at < 0 ? [] : [signOf('right', axes), pieces[at + 1]!.meaning]
  if (!right || next?.kind !== 'direction') return undefined
  const [axis, sign] = signOf(next.word, axes)!
  if (axis === right[0]) return undefined
  const alone = withSign([0, 0, 0], axis, sign)
  const both = withSign(alone, right[0], right[1])
  const readings = [alone, both].map((direction) => formatCommand(direction, axes))
  return refuse(`"right ${pieces[at + 1]!.said}" can mean several things.`, readings)
}

function refuseUnknown(pieces: readonly Piece[], unknown: readonly Piece[], axes: AxisNames): Refused {
  const names = unknown.slice(0, 3).map(({ said }) => `"${short(said)}"`)
  const nearest = new Map(unknown.slice(0, 3).map(({ said }) => [said, nearestWord(said, axes)]))
  const mended = unknown.length <= 3 && [...nearest.values()].every((word) => word !== undefined)
  const hints = [...nearest].flatMap(([, word]) => (word ? [`"${word}"`] : []))
  const hint = hints.length ? ` Did you mean ${hints.join(' and ')}?` : ''
  const reason = `I do not know ${names.join(', ')}.${hint}`
  if (!mended) return refuse(reason, []) // it may be a complaint in words that nobody here knows
  const reading = understandPhrase(pieces.map(({ said }) => nearest.get(said) ?? said).join(' '), axes)
  return refuse(reason, 'command' in reading ? [reading.command] : 'refused' in reading ? reading.suggestions : [])
}

const short = (word: string) => (word.length > 24 ? `${word.slice(0, 24)}...` : word)

/**
 * The known word that is at most one slip away, a direction of five letters and more also two; directions win a tie. What
 * begins otherwise, or is another form of the word ("heads up", "it leans left"), tells something of its own.
 */
function nearestWord(word: string, axes: AxisNames): string | undefined {
  if (word.length > 20) return undefined
  const own = AXES.flatMap((axis) => axes.names[axis])
  let best: { word: string; slips: number } | undefined
  for (const candidate of [...own, ...LEXICON.keys()]) {
    if (candidate.includes(' ') || !known(candidate, axes)) continue
    const most = Math.min(word.length, candidate.length) >= 5 ? 2 : 1
    if (Math.abs(candidate.length - word.length) > most || candidate.length < 2) continue
    const slips = slipsBetween(word, candidate)
    const isDirection = known(candidate, axes)!.kind === 'direction'
    if (!isDirection && (slips > 1 || !beginsAlike(word, candidate) || word === `${candidate}s`)) continue
    if (slips <= most && (!best || slips < best.slips)) best = { word: candidate, slips }
  }
  return best?.word
}

/** The first letters are the same, or swapped. */
const beginsAlike = (a: string, b: string) => a[0] === b[0] || (a[0] === b[1] && a[1] === b[0])

/**
 * Phrases that begin with what has been typed and are understood, the likeliest first: for the command box. Each keeps
 * what was typed as it stands, in lower case.
 */
export function completions(prefix: string, limit = 8, axes: AxisNames = BASE_FRAME): string[] {
  const typed = prefix.toLowerCase().trimStart()
  if (typed.length > LONGEST_PHRASE) return []
  if (haltIn(typed, axes)) return ['stop', 'pause'].filter((word) => word.startsWith(typed) && word !== typed)
  const head = typed.slice(0, typed.search(/\S*$/))
  const names = axes.order.flatMap((axis) => axes.names[axis])
  const spoken = [...LEXICON.keys()].filter((word) => known(word, axes)?.kind === 'direction')
  const commands = allCommands(axes).filter((command) => command !== NULL_COMMAND)
  const byLength = commands.sort((a, b) => a.split(' and ').length - b.split(' and ').length)
  const joint = /\s$/.test(typed) ? 'and ' : ' and '
  const further = typed.trim() ? names.map((name) => typed + joint + name) : []
  const counted = /\d\s*$/.test(typed) ? ['mm', 'cm'].map((unit) => `${typed.trimEnd()} ${unit}`) : []
  const candidates = [
    ...counted,
    ...byLength,
    ...[...names, ...spoken].map((word) => head + word),
    ...further,
    'stop',
    'pause',
    'nothing',
  ]
  const meant = new Set([outcome(typed, axes)]) // one phrase for each outcome, and none that changes nothing
  const found: string[] = []
  for (const candidate of candidates) {
    if (found.length >= limit) break
    if (!candidate.startsWith(typed)) continue
    const what = outcome(candidate, axes)
    if (what === null || meant.has(what)) continue
    meant.add(what)
    found.push(candidate)
  }
  return found
}

/** What a phrase leads to; null where it is refused. */
function outcome(phrase: string, axes: AxisNames): string | null {
  const reading = understandPhrase(phrase, axes)
  return 'command' in reading
    ? `${reading.command} ${reading.distance?.metres ?? ''}`
    : 'refused' in reading
      ? null
      : reading.understood
}
