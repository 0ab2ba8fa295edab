/** @file Small drawings: counts as horizontal bars, and step 0 against final as a strip for a table cell. */
import { colourClass } from './palette.ts'
import { linearScale } from './scale.ts'
import { element, escapeText } from './svg.ts'

/** Largest first; at most `most` bars, the rest summed up as "other". */
export function countBars(counts: Record<string, number>, most = 16): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const rest = sorted.slice(most).reduce((sum, [, count]) => sum + count, 0)
  const shown: [string, number][] =
    rest > 0 ? [...sorted.slice(0, most), [`other (${sorted.length - most})`, rest]] : sorted
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  const largest = Math.max(...shown.map(([, count]) => count), 1)
  const rows = shown.map(([name, count]) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, escapeText(name)),
      element(
        'td',
        { class: 'bar-cell' },
        element('span', { class: 'bar-fill', style: `width:${((100 * count) / largest).toFixed(1)}%` }),
      ),
      element('td', { class: 'figure' }, String(count)),
      element('td', { class: 'figure quiet' }, `${((100 * count) / Math.max(total, 1)).toFixed(1)} %`),
    ),
  )
  return element('table', { class: 'bars' }, ...rows)
}

/** 0 to 100 %: a hollow dot at step 0, a filled one at the result with its interval. */
export function resultStrip(
  score: { step0?: number; success: number; interval: readonly [number, number] },
  colour: number,
): string {
  const x = linearScale([0, 1], [8, 192])
  const ends = [0, 0.5, 1].map((share) => element('line', { class: 'grid', x1: x(share), x2: x(share), y1: 4, y2: 20 }))
  return element(
    'svg',
    { class: `strip ${colourClass(colour)}`, viewBox: '0 0 200 24', 'aria-hidden': 'true' },
    ...ends,
    element('line', { class: 'bar', x1: x(score.interval[0]), x2: x(score.interval[1]), y1: 12, y2: 12 }),
    score.step0 === undefined ? '' : element('circle', { class: 'hollow', cx: x(score.step0), cy: 12, r: 4.5 }),
    element('circle', { class: 'dot', cx: x(score.success), cy: 12, r: 5.5 }),
  )
}
