/**
 * @file The wish that the robot holds, in whatever is said. For motion nothing is guessed; here it is the other way round:
 * one word suffices, wherever it stands, and what could be motion or a halt is a halt.
 *
 * A stop latches until a person has looked and clears it: danger, and whatever asks for an end. A pause holds until
 * somebody lets the run go on: a moment, an objection ("no", "don't"), a caution ("easy", as words cannot slow the arm), and
 * a doubt: a word that no motion knows and that is nearly spelled like one of these ("stpo"). Whoever says both has said
 * stop. The price is a halt for nothing: "hold the bolt" and "far enough left" pause.
 */
import { LEXICON } from './lexicon.ts'
import { slipsBetween } from './slips.ts'
import { AXES, type AxisNames, BASE_FRAME } from './vocabulary.ts'

export type HaltKind = 'stop' | 'pause'
export type Halt = { kind: HaltKind; said: string /* the word or expression that halts, in lower case */ }

const words = (list: string) => list.split('|')

/** Also as a part of longer words ("stopping", "pleasestop"), and nearly spelled. */
const STOP_ROOTS = words('stop|halt|freeze|abort|cancel|emergency')
const PAUSE_ROOTS = words('wait|pause|hold')

const STOPS = words(
  [
    'estop|e stop|whoa|woah|kill|quit|quits|terminate|cease|desist|brake|brakes|froze|frozen|shut|unplug|mayday|sos|panic',
    'danger|dangerous|help|ouch|oww|collision|collide|crash|crashing|crashed|fire|smoke|no no|not move',
    "don't move|don't you move|do not move|nobody move|never move|no move|don't touch|do not touch",
    'power|turn off|turn it off|turn that off|turn this off|switch off|switch it off|cut it|cut it out|knock it off',
    'stahp|stawp|whoah|woa|hands off|hands up|red alert|alarm|pull the plug|disengage|deactivate|disable|disarm|shutoff',
    'escape|esc|ctrl c|control c|unsafe|not safe|caught in|burning|crushing|crushed',
    'watch out|look out|watch it|red button|get away|get off|go away|back away|step away|stay away|keep away|keep off',
    // other languages; accents are left out by `withoutMarks`
    'stopp|anhalten|aufhoren|aufhoeren|achtung|vorsicht|nein nein|notaus|not aus|arret|arrete|arretez|alto|basta|detente',
    'ferma|fermo|fermi|fermati|parar|parate|pare|quieto|peligro|stoj|zatrzymaj|pysahdy|seis|stanna|sluta|hor auf|hoer auf',
    'ne bouge pas|ne bougez pas|hou op|houd op|dur|durdur|zastav|stuj|allj|opreste|dung lai|berhenti|ruko',
    'стоп|стои|стоять|остановись|хватит|σταματα|עצור',
  ].join('|'),
)

const PAUSES = words(
  [
    "hang|held|stay|still|enough|easy|careful|cautious|beware|off|no|nope|nah|don't|do not|timeout|time out|break|intermission|suspend",
    'a moment|one moment|a second|one second|a sec|one sec|sec|a minute|one minute|minute|let go|let me go|let me|leave it',
    'slow down|calm down|settle down|cool down|stand down|stand by|standby|give up|not so fast|too fast|back off|stand back',
    "weight|wate|do n't|let it go|leave|exit|end|ends|finish|cut|never mind|nevermind|forget it|get out|undo|reset|oops|uh oh|oh no",
    'my hand|my hands|hands|my arm|finger|fingers|my finger|watch|mind|alert|at ease|too close|too near|omg|damn|shit|fuck|au|aua|aie',
    'get back|keep back|not yet|done|finished|hit|hits|hitting|hurt|hurts|stuck|touching|broke|broken|breaking',
    "never|negative|nay|wrong|wrongly|other way|not there|not here|not that|not this|not like|that's it|that's all|do nothing",
    "that'll do|that will do|take five|rest|relax|sleep|let it be|remain|slow it|hey hey|oi|heads up|abandon|scrap that",
    'oh god|my god|jesus|yikes|eek|argh|uh uh|nuh uh|caught|burn|burns|fall|falls|falling|person|somebody|someone|malfunction',
    'warte|warten|moment|langsam|nein|nicht|non|nao|attends|attendez|attention|doucement|espera|espere|cuidado|para',
    'aspetta|attento|wacht|vanta|odota|czekaj|bekle|подожди|нет',
  ].join('|'),
)

/** Signs, and words of scripts that leave no space between them. */
const SIGNS: readonly [signs: RegExp, kind: HaltKind][] = [
  [/[🛑✋🖐⛔🚫🚨⏹]|停|别动|別動|止ま|止め|とま|とめ|ストップ|やめ|멈|정지|그만|रुक|रोक|قف|توقف|หยุด/u, 'stop'],
  [/[⏸⚠]|等|暂停|暫停|待って|待て|まって|기다려|잠깐/u, 'pause'],
]

const APOSTROPHES = /['‘’‛′‵`´ʹʻʼʽꞌ＇]/g
const LONGEST_HALT = 4 // words
const LONGEST_TEXT = 10_000 // characters that are read; a message to the console has fewer
const MOST_LETTERS = 24 // of a word that is compared by slips

const EXPRESSIONS: ReadonlyMap<string, HaltKind> = new Map([
  ...[...PAUSE_ROOTS, ...PAUSES].map((said) => [withoutMarks(said), 'pause'] as const),
  ...[...STOP_ROOTS, ...STOPS].map((said) => [withoutMarks(said), 'stop'] as const),
])
/** Drawn out: "stooop", "noooo". Single words only. */
const SQUEEZED: ReadonlyMap<string, HaltKind> = new Map(
  [...EXPRESSIONS].filter(([said]) => !said.includes(' ')).map(([said, kind]) => [squeeze(said), kind]),
)
const ROOTS: readonly [root: string, kind: HaltKind][] = [
  ...STOP_ROOTS.map((root) => [root, 'stop'] as [string, HaltKind]),
  ...PAUSE_ROOTS.map((root) => [root, 'pause'] as [string, HaltKind]),
]

/** Words of phrases that can be motion: "quite", of "quite a bit", is no slip of "quit". */
const MOTION_WORDS: ReadonlySet<string> = new Set(
  [...LEXICON.keys()].flatMap((expression) => expression.split(' ')).map(withoutMarks),
)

/** What in `text` halts the robot, the gravest first; null where nothing does. Never throws. */
export function haltIn(text: string, axes: AxisNames = BASE_FRAME): Halt | null {
  let found: Halt | null = null
  for (const halt of halts(
    text.slice(0, LONGEST_TEXT).replace(APOSTROPHES, '').normalize('NFKC').toLowerCase(),
    axes,
  )) {
    if (halt.kind === 'stop') return halt
    found ??= halt
  }
  return found
}

/**
 * As `haltIn`, of a text whose last word may still grow as it is typed: that one counts only as it stands, and only where
 * no word of motion begins so ("no" may become "nothing").
 */
export function haltInUnfinished(text: string, axes: AxisNames = BASE_FRAME): Halt | null {
  const last = wordsOf(withoutMarks(text.toLowerCase())).at(-1)
  if (last === undefined || !/[\p{L}\p{N}]$/u.test(text)) return haltIn(text, axes)
  const names = AXES.flatMap((axis) => axes.names[axis])
  const grows = [...MOTION_WORDS, ...names].some((word) => word.startsWith(last) && word !== last)
  if (!grows && EXPRESSIONS.has(last)) return haltIn(text, axes)
  return haltIn(text.slice(0, text.search(/[\p{L}\p{N}\p{M}'’-]*$/u)), axes)
}

function* halts(text: string, axes: AxisNames): Generator<Halt> {
  for (const [signs, kind] of SIGNS) {
    const [sign] = text.match(signs) ?? []
    if (sign) yield { kind, said: sign }
  }
  const plain = withoutMarks(text)
  const all = wordsOf(plain)
  for (let i = 0; i < all.length; i++)
    for (let length = 1; length <= LONGEST_HALT && i + length <= all.length; length++) {
      const said = all.slice(i, i + length).join(' ')
      const kind = EXPRESSIONS.get(said)
      if (kind) yield { kind, said }
    }
  const known = (word: string) => MOTION_WORDS.has(word) || AXES.some((axis) => axes.names[axis].includes(word))
  for (const word of new Set([...all, ...broken(plain, all, known)])) {
    if (known(word)) continue
    const kind = kindOf(word)
    if (kind) yield { kind, said: word }
  }
}

/** Of one word that no motion knows. */
function kindOf(word: string): HaltKind | undefined {
  for (const [root, kind] of ROOTS) if (word.includes(root)) return kind
  if (/^(no){2,}$/.test(word)) return 'stop' // "no no" without a gap
  const squeezed = squeeze(word)
  if (/^[ao]+r*g*h+$/.test(squeezed) || /^a{3,}$/.test(word)) return 'pause' // a cry
  const drawn = EXPRESSIONS.get(squeezed) ?? SQUEEZED.get(squeezed)
  if (drawn) return drawn
  for (const [root, kind] of ROOTS) if (squeezed.includes(squeeze(root))) return kind
  return word.length >= 3 && word.length <= MOST_LETTERS && ROOTS.some(([root]) => near(word, root))
    ? 'pause'
    : undefined
}

const near = (word: string, root: string) => slipsBetween(word, root) <= (root.length > 6 ? 2 : 1)

/** Words that were cut: "s t o p", "S.T.O.P.", "e-stop", "st op". */
function* broken(plain: string, all: readonly string[], known: (word: string) => boolean): Generator<string> {
  for (const chunk of plain.split(/\s+/)) {
    const joined = chunk.replace(/[^\p{L}\p{N}]/gu, '')
    if (joined !== chunk) for (const [root] of ROOTS) if (joined.includes(root)) yield joined
  }
  let letters = ''
  for (const word of [...all, '']) {
    if (word.length === 1) letters += word
    else {
      if (letters.length > 2) yield letters
      letters = ''
    }
  }
  for (let i = 0; i + 1 < all.length; i++) {
    const pair = all[i]! + all[i + 1]!
    if (EXPRESSIONS.has(pair) && !(known(all[i]!) && known(all[i + 1]!))) yield pair
  }
}

/** "don't" and "arrête" as "dont" and "arrete", nothing invisible: marks are what people and recognisers leave out. */
function withoutMarks(text: string): string {
  return text
    .replace(APOSTROPHES, '')
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '')
}

const wordsOf = (plain: string): string[] => plain.match(/[\p{L}\p{N}]+/gu) ?? []

/** Each letter once where it was repeated. */
function squeeze(word: string): string {
  return word.replace(/(\p{L})\1+/gu, '$1')
}
