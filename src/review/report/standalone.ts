/** @file A chart as one SVG file: title, legend and style inside, on a card of its own, readable on white and dark pages. */
import { colourClass, PALETTE } from './palette.ts'
import { describe, drawing, HEIGHT, measured, type Plot, type Series, WIDTH } from './plot.ts'
import { element, escapeText } from './svg.ts'

// fixed colours, no variables: other programs than browsers draw these files too
const STYLE = [
  "text { font: 11.5px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #66696e }",
  '.title { font-size: 14px; font-weight: 600; fill: #1c1d1f }',
  '.grid { stroke: #e6e6e1 } .axis { stroke: #66696e; opacity: 0.6 } .boundary { stroke: #66696e; stroke-dasharray: 2 3 }',
  '.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }',
  '.line.dashed { stroke-dasharray: 5 4; stroke-width: 1.6 }',
  '.band { stroke: none; opacity: 0.13 } .bar { stroke-width: 2; opacity: 0.65 } .dot { stroke: #ffffff; stroke-width: 1.5 }',
  ...PALETTE.map(({ light }, i) => `.s${i} { fill: ${light}; stroke: ${light} }`),
].join('\n')

const PADDING = 14
const TITLE_HEIGHT = 24
const LEGEND_LINE = 18
const KEY = 24 // width of a legend's key with its gap
const LETTER = 7 // mean width of a letter of the legend, generously

/** @returns the text of an .svg file */
export function standaloneSvg(chart: Plot): string {
  const series = measured(chart)
  const keys = (chart.legend ?? series.length > 1) ? legendPlaces(series) : []
  const lines = keys.length > 0 ? keys.at(-1)!.line + 1 : 0
  const width = WIDTH + 2 * PADDING
  const height = TITLE_HEIGHT + HEIGHT + lines * LEGEND_LINE + 2 * PADDING
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: 1.5 * width,
      height: 1.5 * height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': series.length > 0 ? describe(chart, series) : chart.title,
    },
    element('style', {}, STYLE),
    element('rect', {
      x: 0.5,
      y: 0.5,
      width: width - 1,
      height: height - 1,
      rx: 8,
      fill: '#ffffff',
      stroke: '#e6e6e1',
    }),
    element('text', { class: 'title', x: PADDING, y: PADDING + 12 }, escapeText(chart.title)),
    series.length > 0
      ? element('g', { transform: `translate(${PADDING} ${PADDING + TITLE_HEIGHT})` }, drawing(chart))
      : element('text', { x: PADDING, y: PADDING + TITLE_HEIGHT + 20 }, 'Nothing was measured.'),
    ...keys.map(({ series: one, x, line }) =>
      key(one, PADDING + x, PADDING + TITLE_HEIGHT + HEIGHT + (line + 0.7) * LEGEND_LINE),
    ),
  )
}

/** Keys side by side, in as many lines as they need. */
function legendPlaces(series: readonly Series[]): { series: Series; x: number; line: number }[] {
  let [x, line] = [0, 0]
  return series.map((one) => {
    const width = KEY + LETTER * one.name.length + 14
    if (x > 0 && x + width > WIDTH) [x, line] = [0, line + 1]
    const place = { series: one, x, line }
    x += width
    return place
  })
}

function key({ name, colour, look }: Series, x: number, y: number): string {
  const middle = y - 4
  const mark =
    look === 'dots'
      ? element('circle', { class: 'dot', cx: x + 9, cy: middle, r: 4.5 })
      : element('path', { class: look === 'dashed' ? 'line dashed' : 'line', d: `M${x} ${middle}h18` })
  return element('g', { class: colourClass(colour) }, mark) + element('text', { x: x + KEY, y }, escapeText(name))
}
