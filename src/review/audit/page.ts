/** @file The page of a label audit: one HTML file that works without a server, and asks a person about every triplet. */
import { contactSheet } from '../../formats/images.ts'
import { project } from '../../robot/projection.ts'
import type { CameraMount, Image } from '../../robot/robot.ts'
import { page } from '../report/page.ts'
import { element, escapeText } from '../report/svg.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import type { Displacement, Triplet } from './triplets.ts'

export type AuditPage = {
  run: string // its name
  seed: number
  window: number // J
  threshold: number // σ, metres
  commands: readonly string[] // that may be answered
  triplets: readonly Triplet[]
  /** The camera whose frame gets the arrow, with its pose in each cell; without it only the compass is drawn. */
  camera?: { name: string; poses: Readonly<Record<string, CameraMount>> }
}

const STYLE = `
.bar { position: sticky; top: 0; z-index: 2; background: var(--paper); border-bottom: 1px solid var(--rule); padding: 10px 0; display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center }
.bar b { font-variant-numeric: tabular-nums }
.triplet { margin: 16px 0 }
.triplet.current { outline: 2px solid var(--c0); outline-offset: 2px }
.triplet header { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; margin-bottom: 10px }
.triplet header strong { font-size: 19px }
.views { display: flex; flex-wrap: wrap; gap: 10px; align-items: flex-start }
.view { position: relative; width: 224px; font-size: 13px; color: var(--quiet) }
.view img { width: 100%; display: block; border-radius: 6px; image-rendering: pixelated }
.view svg.over { position: absolute; left: 0; top: 0; width: 224px; height: 224px; overflow: visible }
.arrow { stroke: #ff2d95; stroke-width: 1.6; fill: none; stroke-linecap: round }
.arrow.moved { stroke: #ffd400; stroke-dasharray: 2 2.4 }
.compass { width: 200px } .compass text { font-size: 11px } .compass .arrow.moved { stroke: #c79100 } .compass .arrow { stroke-width: 3 }
.asked { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 12px; align-items: center }
button, input { font: inherit; color: inherit; background: var(--code); border: 1px solid var(--rule); border-radius: 8px; padding: 6px 14px }
button { cursor: pointer } button[aria-pressed=true] { background: var(--c0); color: #fff; border-color: var(--c0) }
input { min-width: 260px } input:invalid { border-color: var(--c1) }
kbd { font: 12px ui-monospace, monospace; opacity: 0.7 }
`

export function renderAudit(audit: AuditPage): string {
  const { run, seed, window, threshold, commands, triplets, camera } = audit
  const facts = { format: 'duet label audit', run, seed, window, threshold }
  return page(
    `Label audit: ${run}`,
    element('style', {}, STYLE),
    element('h1', {}, escapeText(`Label audit: ${run}`)),
    element('p', {}, escapeText(lead(window, threshold, camera !== undefined))),
    element(
      'div',
      { class: 'bar' },
      element('span', {}, element('b', { id: 'answered' }, '0'), ` of ${triplets.length} answered`),
      element('span', {}, element('b', { id: 'agreed' }, '–'), ' agree'),
      element('button', { id: 'export', type: 'button' }, 'Save answers as a file'),
      element('span', { class: 'quiet' }, 'Keys: y, n, e; arrow keys to move. Answers stay in this browser.'),
    ),
    element('datalist', { id: 'commands' }, ...commands.map((value) => element('option', { value }))),
    ...triplets.map((triplet, index) => card(triplet, index, camera)),
    element('script', { type: 'application/json', id: 'facts' }, json(facts)),
    element('script', { type: 'application/json', id: 'vocabulary' }, json(commands)),
    element('script', {}, PAGE_SCRIPT),
  )
}

const lead = (window: number, threshold: number, projected: boolean) =>
  `Each card is one corrected step: what the cameras saw before and after the next ${window} steps at most, how far the operator's hand moved the tool in them, and what the rule made of it at a threshold of ${(1000 * threshold).toFixed(2)} mm. ` +
  `Would you have said the same? ${projected ? 'In the picture' : 'In the compass'} the solid arrow is the commanded displacement, the dashed one what the arm really did${projected ? ', both three times as long' : ''}.`

/** Text for a script element: no "<" can end it early. */
const json = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c')

function card(triplet: Triplet, index: number, camera: AuditPage['camera']): string {
  const { key, cell, task, episode, step, label, before, after } = triplet
  const pose = camera?.poses[cell]
  const views = Object.keys(before).flatMap((name) => [
    view(`${name}, before`, before[name]!, pose && camera?.name === name ? arrows(triplet, before[name]!, pose) : ''),
    view(`${name}, after ${label.window} steps`, after[name]!),
  ])
  return element(
    'article',
    { class: 'card triplet', 'data-key': key, 'data-label': label.command, tabindex: 0 },
    element(
      'header',
      {},
      element('strong', {}, escapeText(label.command)),
      element('span', { class: 'quiet' }, escapeText(`${index + 1}. ${task}, episode ${episode}, step ${step}`)),
      element(
        'span',
        { class: 'quiet' },
        escapeText(`commanded ${inWords(label.delta)}; moved ${inWords(triplet.moved)}`),
      ),
    ),
    element('div', { class: 'views' }, ...views, compass(label.delta, triplet.moved)),
    element(
      'div',
      { class: 'asked' },
      answer('yes', 'y', 'Yes'),
      answer('no', 'n', 'No'),
      answer('edit', 'e', 'Rather'),
      element('input', {
        list: 'commands',
        placeholder: 'the command that fits',
        'aria-label': 'the command that fits',
      }),
    ),
  )
}

const answer = (value: string, key: string, text: string) =>
  element(
    'button',
    { type: 'button', 'data-answer': value, 'aria-pressed': 'false' },
    `${escapeText(text)} `,
    element('kbd', {}, key),
  )

/** Millimetres along x, y, z with the words of the base frame. */
export function inWords([x, y, z]: Displacement): string {
  const mm = (metres: number) => Math.abs(1000 * metres).toFixed(1)
  return `${mm(x)} mm ${x < 0 ? 'backward' : 'forward'}, ${mm(y)} mm ${y < 0 ? 'right' : 'left'}, ${mm(z)} mm ${z < 0 ? 'down' : 'up'}`
}

function view(caption: string, image: Image, over = ''): string {
  const source = `data:image/png;base64,${contactSheet([image]).toString('base64')}`
  return element(
    'div',
    { class: 'view' },
    element('img', { src: source, alt: caption, loading: 'lazy' }),
    over,
    escapeText(caption),
  )
}

const LENGTHENED = 3 // arrows are this many times as long as the displacement: a millimetre is a third of a pixel

/** Both displacements from the tool's position, in the pixels of the picture. */
function arrows({ tcp, label, moved }: Triplet, { width, height }: Image, pose: CameraMount): string {
  const lines = (
    [
      ['arrow', label.delta],
      ['arrow moved', moved],
    ] as const
  ).map(([look, delta]) => {
    const end = tcp.before.map((at, axis) => at + LENGTHENED * delta[axis]!) as unknown as Displacement
    return arrow(look, project(pose, width, height, tcp.before).pixel, project(pose, width, height, end).pixel)
  })
  return element('svg', { class: 'over', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, ...lines)
}

type Pixel = readonly [x: number, y: number]

/** A line with a head of fixed size. */
function arrow(look: string, [x1, y1]: Pixel, [x2, y2]: Pixel, head = 4): string {
  const angle = Math.atan2(y2 - y1, x2 - x1)
  const barb = (turn: number): Pixel => [x2 - head * Math.cos(angle + turn), y2 - head * Math.sin(angle + turn)]
  const [a, b] = [barb(0.5), barb(-0.5)]
  const at = ([x, y]: Pixel) => `${x.toFixed(2)} ${y.toFixed(2)}`
  return element('path', { class: look, d: `M${at([x1, y1])}L${at([x2, y2])}M${at(a)}L${at([x2, y2])}L${at(b)}` })
}

const COMPASS = 46 // pixels from the centre to the rim

/** Seen from above with forward at the top, and height beside it: arrows to scale, the larger one fills the compass. */
function compass(delta: Displacement, moved: Displacement): string {
  const largest = Math.max(0.001, ...[delta, moved].flat().map(Math.abs))
  const scale = COMPASS / largest
  const [cx, cy, zx] = [72, 68, 160]
  const mark = (x: number, y: number, text: string) => element('text', { x, y, 'text-anchor': 'middle' }, text)
  const flat = (look: string, [x, y]: Displacement) => arrow(look, [cx, cy], [cx - scale * y, cy - scale * x], 7)
  const tall = (look: string, [, , z]: Displacement, x: number) => arrow(look, [x, cy], [x, cy - scale * z], 7)
  return element(
    'svg',
    { class: 'compass', viewBox: '0 0 190 150', role: 'img', 'aria-label': `commanded ${inWords(delta)}` },
    element('circle', { class: 'grid', cx, cy, r: COMPASS, fill: 'none' }),
    element('line', { class: 'grid', x1: zx, x2: zx, y1: cy - COMPASS, y2: cy + COMPASS }),
    mark(cx, 14, 'forward'),
    mark(cx, 130, 'backward'),
    mark(12, cy + 4, 'left'),
    mark(130, cy + 4, 'right'),
    mark(zx, 14, 'up'),
    mark(zx, 130, 'down'),
    flat('arrow', delta),
    flat('arrow moved', moved),
    tall('arrow', delta, zx - 4),
    tall('arrow moved', moved, zx + 4),
    mark(95, 146, `rim: ${(1000 * largest).toFixed(1)} mm`),
  )
}
