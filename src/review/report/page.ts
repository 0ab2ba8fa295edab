/** @file The page around the charts: one HTML file with its own style, light and dark, nothing loaded from elsewhere. */
import { PALETTE } from './palette.ts'
import { element, escapeText } from './svg.ts'

const colours = (ground: 'light' | 'dark') => PALETTE.map((colour, i) => `--c${i}: ${colour[ground]};`).join(' ')

const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #ffffff; --ink: #1c1d1f; --quiet: #66696e; --rule: #e6e6e1; --code: #f3f3ef;
  ${colours('light')}
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141516; --card: #1c1d1f; --ink: #ececea; --quiet: #9a9da3; --rule: #303236; --code: #232528;
    ${colours('dark')}
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif }
main { max-width: 1360px; margin: 0 auto; padding: 32px 24px 64px }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; font-weight: 650; letter-spacing: -0.01em }
h2 { font-size: 18px; margin: 44px 0 4px; font-weight: 620 }
p { margin: 0 0 12px; max-width: 76ch }
.quiet, .caption, .empty, h2 + p { color: var(--quiet) }
.caption { font-size: 13px; margin: 6px 0 0 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0 }
.tile, figure, .card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 16px; margin: 0 }
.tile b { display: block; font-size: 26px; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums }
.tile span { color: var(--quiet); font-size: 13px }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(380px, 100%), 1fr)); gap: 16px; margin-top: 12px }
figcaption { font-weight: 600; margin-bottom: 6px }
figure svg { width: 100%; height: auto; display: block; overflow: visible }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 6px 0 0; font-size: 13px }
.key { display: inline-block; width: 18px; height: 0; border-top: 2.5px solid var(--s); vertical-align: middle; margin-right: 6px }
.key.dashed { border-top-style: dashed }
.key.dots { width: 9px; height: 9px; border: 0; border-radius: 50%; background: var(--s) }
svg text { font: 11.5px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: var(--quiet); font-variant-numeric: tabular-nums }
svg .label { fill: var(--quiet) }
.grid { stroke: var(--rule); stroke-width: 1 }
.axis { stroke: var(--quiet); stroke-width: 1; opacity: 0.6 }
.boundary { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 3 }
.line { fill: none; stroke: var(--s); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
.line.dashed { stroke-dasharray: 5 4; stroke-width: 1.6 }
.band { fill: var(--s); opacity: 0.13 }
.bar { stroke: var(--s); stroke-width: 2; opacity: 0.65 }
.dot { fill: var(--s); stroke: var(--card); stroke-width: 1.5 }
.hollow { fill: var(--card); stroke: var(--s); stroke-width: 1.8 }
${PALETTE.map((_, i) => `.s${i} { --s: var(--c${i}) }`).join(' ')}
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: 7px 14px 7px 0; border-bottom: 1px solid var(--rule); font-weight: 400 }
thead th { color: var(--quiet); font-size: 13px }
tbody tr:last-child th, tbody tr:last-child td { border-bottom: 0 }
tbody th { font-weight: 600 }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.words { white-space: normal; text-align: left; min-width: 320px }
.strip { width: 200px; height: 24px; display: block; margin-left: auto }
.bars th { font-weight: 400; white-space: nowrap } .bar-cell { width: 55% }
.bar-fill { display: block; height: 11px; border-radius: 3px; background: var(--c0); min-width: 2px }
.frames { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; margin-top: 12px }
.frames img { width: 100%; image-rendering: pixelated; border-radius: 6px; display: block }
.frames figure { padding: 8px } .frames .caption { overflow-wrap: anywhere }
.scroll { overflow-x: auto }
pre { background: var(--code); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 16px; overflow-x: auto; font: 13px/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; margin: 12px 0 }
details summary { cursor: pointer; color: var(--quiet) }
@media print { .card, figure, .tile { break-inside: avoid } }
`

export function page(title: string, ...sections: string[]): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    element('title', {}, escapeText(title)),
    element('style', {}, STYLE),
    `</head><body>${element('main', {}, ...sections)}</body></html>`,
    '',
  ].join('\n')
}

/** A headed section; empty parts vanish, and with them a section that has nothing to show. */
export function section(title: string, lead: string, ...parts: string[]): string {
  const shown = parts.filter(Boolean)
  if (shown.length === 0) return ''
  return element('section', {}, element('h2', {}, escapeText(title)), element('p', {}, escapeText(lead)), ...shown)
}

export const charts = (...figures: string[]) => element('div', { class: 'charts' }, ...figures)

export const tile = (value: string, meaning: string) =>
  element('div', { class: 'tile' }, element('b', {}, escapeText(value)), element('span', {}, escapeText(meaning)))

/** A table whose first column heads its rows. Cells are markup. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (content: string, column: number) =>
    column === 0 ? element('th', { scope: 'row' }, content) : element('td', { class: 'figure' }, content)
  const head = header.map((text, column) =>
    element('th', { scope: 'col', class: column === 0 ? undefined : 'figure' }, escapeText(text)),
  )
  return element(
    'div',
    { class: 'card scroll' },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map(cell)))),
    ),
  )
}
