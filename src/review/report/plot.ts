/** @file One chart: lines with bands, dots with error bars, a legend and a caption, as a figure with inline SVG. */
import { colourClass } from './palette.ts'
import { type Domain, linearScale, robustDomain, tickLabel, ticks } from './scale.ts'
import { element, escapeText, path } from './svg.ts'

export type Point = { x: number; y: number; low?: number; high?: number; note?: string }

export type Series = {
  name: string
  colour: number // index into the palette
  look: 'line' | 'dashed' | 'dots' // dots: error bars from low to high; line: a band from low to high
  points: readonly Point[]
}

export type Plot = {
  title: string
  caption?: string
  x: { label: string; domain?: Domain }
  y: { label: string; domain?: Domain; format?: (value: number) => string }
  series: readonly Series[]
  boundary?: { x: number; label: string } // a moment that splits the run, such as the end of the warm-up
  legend?: boolean
}

export const WIDTH = 420
export const HEIGHT = 240
const MARGIN = { top: 22, right: 12, bottom: 36, left: 46 }
const FRAME = {
  left: MARGIN.left,
  right: WIDTH - MARGIN.right,
  top: MARGIN.top,
  bottom: HEIGHT - MARGIN.bottom,
}

type Axes = { x: (value: number) => number; y: (value: number) => number }

/** The series that have points; a chart without any shows that nothing was measured. */
export const measured = (chart: Plot) => chart.series.filter(({ points }) => points.length > 0)

export function plot(chart: Plot): string {
  const series = measured(chart)
  if (series.length === 0) return figure(chart, element('p', { class: 'empty' }, 'Nothing was measured.'))
  const attributes = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': describe(chart, series) }
  const svg = element('svg', attributes, drawing(chart))
  return figure(chart, svg, legend(series, chart.legend ?? series.length > 1))
}

/** Axes and series as SVG elements, WIDTH by HEIGHT; their classes are the page's. */
export function drawing(chart: Plot): string {
  const series = measured(chart)
  const all = series.flatMap(({ points }) => points)
  const xDomain = chart.x.domain ?? extent(all.map(({ x }) => x))
  const yDomain = chart.y.domain ?? robustDomain(all.map(({ y }) => y))
  const axes = {
    x: linearScale(xDomain, [FRAME.left, FRAME.right]),
    y: linearScale(yDomain, [FRAME.bottom, FRAME.top]),
  }
  const clip = `clip-${slug(chart.title)}`
  const frame = { x: FRAME.left - 6, y: 0, width: FRAME.right - FRAME.left + 12, height: FRAME.bottom + 6 }
  return [
    grid(chart, xDomain, yDomain, axes),
    element('clipPath', { id: clip }, element('rect', frame)),
    boundary(chart, xDomain, axes),
    element('g', { 'clip-path': `url(#${clip})` }, ...series.map((one) => draw(one, axes))),
  ].join('')
}

const slug = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')

function extent(values: readonly number[]): Domain {
  const [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity])
  return low < high ? [low, high] : [low - 0.5, high + 0.5]
}

function figure(chart: Plot, ...parts: string[]): string {
  const caption = chart.caption ? element('p', { class: 'caption' }, escapeText(chart.caption)) : ''
  return element('figure', {}, element('figcaption', {}, escapeText(chart.title)), ...parts, caption)
}

/** For those who do not see the drawing: title and the last value of each series. */
export function describe(chart: Plot, series: readonly Series[]): string {
  const format = chart.y.format ?? short
  const lasts = series.map(({ name, points }) => `${name} ends at ${format(points[points.length - 1]!.y)}`)
  return `${chart.title}: ${lasts.join(', ')}`
}

const short = (value: number) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'no number')

function grid(chart: Plot, xDomain: Domain, yDomain: Domain, axes: Axes): string {
  const yText = chart.y.format ?? tickLabel
  const rows = ticks(yDomain, 4).flatMap((value) => {
    const y = axes.y(value)
    return [
      element('line', { class: 'grid', x1: FRAME.left, x2: FRAME.right, y1: y, y2: y }),
      element('text', { class: 'tick', x: FRAME.left - 6, y: y + 4, 'text-anchor': 'end' }, escapeText(yText(value))),
    ]
  })
  const columns = ticks(xDomain, 6).map((value) =>
    element(
      'text',
      { class: 'tick', x: axes.x(value), y: FRAME.bottom + 16, 'text-anchor': 'middle' },
      tickLabel(value),
    ),
  )
  const middle = (FRAME.left + FRAME.right) / 2
  return [
    ...rows,
    element('line', { class: 'axis', x1: FRAME.left, x2: FRAME.right, y1: FRAME.bottom, y2: FRAME.bottom }),
    ...columns,
    element('text', { class: 'label', x: middle, y: HEIGHT - 4, 'text-anchor': 'middle' }, escapeText(chart.x.label)),
    element('text', { class: 'label', x: FRAME.left, y: FRAME.top - 10 }, escapeText(chart.y.label)),
  ].join('')
}

function boundary(chart: Plot, [low, high]: Domain, axes: Axes): string {
  if (!chart.boundary || chart.boundary.x < low || chart.boundary.x > high) return ''
  const x = axes.x(chart.boundary.x)
  const onRight = x < (FRAME.left + FRAME.right) / 2
  return [
    element('line', { class: 'boundary', x1: x, x2: x, y1: FRAME.top, y2: FRAME.bottom }),
    element(
      'text',
      { class: 'tick', x: onRight ? x + 4 : x - 4, y: FRAME.bottom - 6, 'text-anchor': onRight ? 'start' : 'end' },
      escapeText(chart.boundary.label),
    ),
  ].join('')
}

function draw(series: Series, axes: Axes): string {
  const group = (...parts: string[]) => element('g', { class: colourClass(series.colour) }, ...parts)
  if (series.look === 'dots') return group(...series.points.map((point) => dot(point, axes)))
  const line = path(series.points.map(({ x, y }) => [axes.x(x), axes.y(y)] as const))
  const curve = element('path', { class: series.look === 'dashed' ? 'line dashed' : 'line', d: line })
  return series.look === 'dashed' ? group(curve) : group(band(series.points, axes), curve)
}

function band(points: readonly Point[], axes: Axes): string {
  const bounded = points.filter(({ low, high }) => low !== undefined && high !== undefined)
  if (bounded.length < 2) return ''
  const upper = bounded.map(({ x, high }) => [axes.x(x), axes.y(high!)] as const)
  const lower = bounded.map(({ x, low }) => [axes.x(x), axes.y(low!)] as const).reverse()
  return element('path', { class: 'band', d: `${path([...upper, ...lower])}Z` })
}

function dot({ x, y, low, high, note }: Point, axes: Axes): string {
  const centre = axes.x(x)
  const bar =
    low !== undefined && high !== undefined
      ? element('line', { class: 'bar', x1: centre, x2: centre, y1: axes.y(low), y2: axes.y(high) })
      : ''
  const title = note ? element('title', {}, escapeText(note)) : ''
  return bar + element('circle', { class: 'dot', cx: centre, cy: axes.y(y), r: 4.5 }, title)
}

function legend(series: readonly Series[], wanted: boolean): string {
  if (!wanted) return ''
  const items = series.map(({ name, colour, look }) =>
    element('li', { class: colourClass(colour) }, element('span', { class: `key ${look}` }), escapeText(name)),
  )
  return element('ul', { class: 'legend' }, ...items)
}
