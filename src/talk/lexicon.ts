/** @file The words of free phrases beyond the vocabulary: whole expressions, sizes, and what cannot be asked in words, with why. */
import { UNITS } from './distance.ts'
import { FILLERS, NEGATIONS, NOTHING, SYNONYMS } from './vocabulary.ts'

export type Size = 'small' | 'large'

/**
 * `direction` is a canonical word of the base frame, "left". An excess ("too far left") asks for the opposite, if for
 * anything; a remark ("it is right") tells how things are. What halts the robot is in `halt-words.ts`.
 */
export type Meaning =
  | { kind: 'direction'; word: string }
  | { kind: 'size'; size: Size }
  | { kind: 'filler' | 'negation' | 'excess' | 'remark' | 'nothing' }
  | { kind: 'beyond'; why: string }
  | { kind: 'ambiguous'; directions: readonly string[] }

const TURNING = 'words only shift the hand; to turn it, take over'
const GRIPPING = 'words only shift the hand; to open or close it, take over'
const AMOUNT = 'a distance is a number with its unit, as in "left 20 mm"'
const SPEED = 'words give a direction and a distance, not a speed'
const PLACE = 'words give a direction, not a place'

/** Whoever speaks looks along the robot's forward, as from behind it. */
const DIRECTIONS: Record<string, string> = {
  forward: 'away|away from me|away from you|further away|farther away|straight ahead|fwd|onward|onwards|frontwards',
  backward:
    'toward me|towards me|to me|closer to me|nearer to me|toward yourself|towards yourself|backward|rearward|rearwards|rear',
  left: 'sideways left',
  right: 'rightmost|sideways right',
  up: 'upper|rise|climb|ascend|elevate|above|straight up',
  down: 'beneath|below|descend|straight down',
}

const words = (list: string) => list.split('|')

const SIZES: Record<Size, string[]> = {
  small: words(
    'a bit|a little|a little bit|a tiny bit|tiny|tiny bit|bit|little|slightly|a tad|tad|a touch|a hair|a smidge|smidge|somewhat|gently|carefully|slowly|barely|just a bit|just a little',
  ),
  large: words('a lot|lots|much|far|way|well|considerably|a good deal|all the way|quite a bit|quickly|fast'),
}

const MORE_FILLERS = words(
  'by|approximately|roughly|exactly|ok|okay|hey|robot|arm|hand|tool|duet|can|could|would|will|you|should|try|keep|keep on|continue|again|just|so|um|uh|er|hmm|let|lets|let us|moving|going|shifting|slide|sliding|bring|take|get|put|head|heading|step|steer|come|carry|in|of|direction|side|also|plus|with|while|at|once|that|this|straight|further|farther|thanks|thank you|be|need|needs|needs to|have|has|want|i|we|slight|over|pull',
)

const MORE_NEGATIONS = words(
  "do not|don't|doesn't|doesnt|isn't|isnt|aren't|arent|wasn't|wasnt|shouldn't|shouldnt|must not|mustn't|can't|cant|cannot|won't|wont|avoid|except|instead|rather than|neither|nor|anything but|nowhere",
)

const EXCESSES = words('too|less|excessively|overly')

/** Also the idioms in which a direction is none, "right now". */
const REMARKS = words(
  "is|are|am|was|were|been|being|it's|its|that's|thats|this is|you're|youre|i'm|im|we're|they're|there's|what's|did|does|do|had|got|went|gone|came|took|ran|fell|lost|kept|keeps|goes|moves|why|what|where|how|when|who|which|whose|wrong|bad|badly|wrongly|hate|sorry|oh|ugh|almost|nearly|already|again and again|because|since|if|but|you keep|you always|right now|just right|quite right|exactly right|right away|right there|right here|right on|all right|alright|right thing|right one|right way|that right|up to you|up to me|left over|leftover|left behind|ups and downs|upside down",
)

const BEYOND: Record<string, string[]> = {
  [TURNING]: words(
    'degree|degrees|turn|rotate|twist|tilt|spin|roll|pitch|yaw|clockwise|counterclockwise|anticlockwise|swivel|flip|tip|lean|wrist',
  ),
  [GRIPPING]: words(
    'open|close|grip|grasp|grab|release|drop|let go|let it go|squeeze|gripper|pinch|pick|pick up|place|insert',
  ),
  [AMOUNT]: [...UNITS, ...words('twice|double|half|steps|percent')],
  [SPEED]: words('faster|slower|slow|speed|speed up|hurry|hurry up'),
  [PLACE]: words(
    'here|there|home|top|bottom|bolt|hole|table|stand|target|goal|tray|middle|centre|center|inside|outside|nearer|closer',
  ),
}

/** Each reads in more than one way; "back up" is backward, or up again. */
const AMBIGUOUS: Record<string, string[]> = {
  'back up': ['backward', 'up'],
  sideways: ['left', 'right'],
  aside: ['left', 'right'],
}

/** Longest expression in words, which a reader must try first. */
export const LONGEST = 4

/** By expression, its words joined by one space. Later lists give way to earlier ones. */
export const LEXICON: ReadonlyMap<string, Meaning> = build()

function build(): Map<string, Meaning> {
  const lexicon = new Map<string, Meaning>()
  const add = (expressions: Iterable<string>, meaning: Meaning) => {
    for (const expression of expressions) if (expression && !lexicon.has(expression)) lexicon.set(expression, meaning)
  }
  add([...NEGATIONS, ...MORE_NEGATIONS], { kind: 'negation' })
  add(EXCESSES, { kind: 'excess' })
  add(REMARKS, { kind: 'remark' })
  add(NOTHING, { kind: 'nothing' })
  for (const [word, canonical] of Object.entries(SYNONYMS)) add([word], { kind: 'direction', word: canonical })
  for (const [canonical, list] of Object.entries(DIRECTIONS))
    add([canonical, ...words(list)], { kind: 'direction', word: canonical })
  for (const [word, directions] of Object.entries(AMBIGUOUS)) add([word], { kind: 'ambiguous', directions })
  for (const [why, list] of Object.entries(BEYOND)) add(list, { kind: 'beyond', why })
  for (const size of ['small', 'large'] as const) add(SIZES[size], { kind: 'size', size })
  add(FILLERS, { kind: 'filler' })
  add(MORE_FILLERS, { kind: 'filler' })
  return lexicon
}

/** A number alone is half a distance; a verb of the past tells what was. */
export function meaningOf(expression: string): Meaning | undefined {
  const meaning = LEXICON.get(expression)
  if (meaning) return meaning
  if (/^\d\S*$/.test(expression)) return { kind: 'beyond', why: AMOUNT }
  return /^\p{L}{2,}ed$/u.test(expression) ? { kind: 'remark' } : undefined
}
