/** @file One small chart: title, the values at the cursor (else the newest), and the curves, drawn by uPlot at most 10 times a second. */
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { colour, onThemeChange } from '../parts/colour.ts'
import { type AlignedTable, align, type Curve, valueAt } from './align.ts'
import type { ChartPlan } from './charts.ts'

const HEIGHT = 132
const PERIOD = 100 // milliseconds between two redraws
const SYNC = 'run' // charts of one key share their cursor

export type ChartProps = ChartPlan & {
  domain: readonly [low: number, high: number] // of the time axis
  mark?: number // a moment on it
}

export function Chart({ title, curves, format, range, domain, empty, mark }: ChartProps) {
  const shown = curves.filter(({ points }) => points.length > 0)
  const names = shown.map(({ label, look, colour }) => `${label}/${look}/${colour}`).join('|')
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const table = useRef<AlignedTable>({ x: [], columns: [] })
  const latest = useRef({ shown, domain, mark })
  latest.current = { shown, domain, mark }
  const [row, setRow] = useState<number | null>(null)

  useEffect(() => {
    if (!names || !place.current) return
    const host = place.current
    const build = () => {
      plot.current?.destroy()
      table.current = align(latest.current.shown)
      const timeRange = () => latest.current.domain as [number, number]
      const options = optionsOf(host.clientWidth, latest.current.shown, { x: timeRange, y: range }, format, setRow)
      options.hooks!.drawClear = [(plot) => drawMark(plot, latest.current.mark)]
      plot.current = new uPlot(options, columnsOf(table.current), host)
    }
    const redraw = () => {
      table.current = align(latest.current.shown)
      plot.current?.setData(columnsOf(table.current))
    }
    build()
    let drawn = latest.current.shown
    const timer = setInterval(() => {
      if (drawn === latest.current.shown || document.hidden) return
      drawn = latest.current.shown
      redraw()
    }, PERIOD)
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: host.clientWidth, height: HEIGHT }))
    resize.observe(host)
    const themed = onThemeChange(build)
    return () => {
      clearInterval(timer)
      resize.disconnect()
      themed()
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [names])

  useEffect(() => plot.current?.redraw(), [mark])

  return (
    <figure class="chart card">
      <figcaption>
        <h3>{title}</h3>
        <ul>
          {shown.map(({ label, colour, look, points }, i) => {
            const column = table.current.columns[i]?.y
            const value = row === null || !column ? points.at(-1)?.y : valueAt(column, row)
            return (
              <li key={label} class={`s${colour}`}>
                <span class={`key ${look}`} aria-hidden="true" />
                {shown.length > 1 && <span class="quiet">{label}</span>}
                <b>{value === undefined || value === null || !Number.isFinite(value) ? '–' : format(value)}</b>
              </li>
            )
          })}
        </ul>
      </figcaption>
      {names ? <div class="plot" ref={place} /> : <p class="plot-empty quiet">{empty}</p>}
    </figure>
  )
}

/** Each curve takes three of uPlot's series: y, low, high. */
const columnsOf = ({ x, columns }: AlignedTable) =>
  [x, ...columns.flatMap(({ y, low, high }) => [y, low, high])] as unknown as uPlot.AlignedData

function optionsOf(
  width: number,
  curves: readonly Curve[],
  range: { x: () => [number, number]; y: ChartPlan['range'] },
  format: (value: number) => string,
  hover: (row: number | null) => void,
): uPlot.Options {
  const quiet = colour('--quiet')
  const grid = { stroke: colour('--rule'), width: 1 }
  const font = '11px -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    padding: [6, 6, 0, 0],
    cursor: {
      sync: { key: SYNC, scales: ['x', null] },
      y: false,
      drag: { x: false, y: false },
      points: { size: 6 },
    },
    scales: { x: { time: false, range: range.x }, y: { range: range.y ? [range.y[0], range.y[1]] : tight } },
    axes: [
      { stroke: quiet, font, size: 22, gap: 4, grid: { show: false }, ticks: { show: false }, space: 48 },
      {
        stroke: quiet,
        font,
        size: 44,
        gap: 6,
        grid,
        ticks: { show: false },
        space: 28,
        values: (_, v) => v.map((value) => format(value)),
      },
    ],
    series: [
      {},
      ...curves.flatMap(({ colour: index, look }): uPlot.Series[] => {
        const stroke = colour(`--c${index % 6}`)
        const y: uPlot.Series =
          look === 'dots'
            ? { stroke, paths: () => null, points: { show: true, size: 7, fill: stroke, stroke: colour('--card') } }
            : {
                stroke,
                width: 1.8,
                spanGaps: true,
                points: { show: false },
                dash: look === 'dashed' ? [5, 4] : undefined,
              }
        const edge: uPlot.Series = { paths: () => null, points: { show: false } }
        return [y, look === 'dots' ? edge : bandEdge(), look === 'dots' ? edge : bandEdge()]
      }),
    ],
    bands: curves.flatMap(({ look, colour: index }, i): uPlot.Band[] =>
      look === 'line' ? [{ series: [3 * i + 3, 3 * i + 2], fill: translucent(colour(`--c${index % 6}`)) }] : [],
    ),
    hooks: {
      draw: [
        (plot) =>
          curves.forEach((curve, i) => {
            if (curve.look === 'dots') bars(plot, curve, 3 * i + 1)
          }),
      ],
      setCursor: [({ cursor }) => hover(cursor.idx ?? null)],
    },
  }
}

const bandEdge = (): uPlot.Series => ({ stroke: 'transparent', width: 0, spanGaps: true, points: { show: false } })

const translucent = (rgb: string) => rgb.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)')

function tight(_: uPlot, low: number, high: number): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1]
  const margin = 0.08 * (high - low || Math.abs(high) || 1)
  return [low >= 0 && low < 0.35 * high ? 0 : low - margin, high + margin]
}

/** A line at a moment, below the curves. */
function drawMark(plot: uPlot, mark: number | undefined): void {
  if (mark === undefined) return
  const { ctx, bbox } = plot
  const x = plot.valToPos(mark, 'x', true)
  ctx.save()
  ctx.fillStyle = colour('--edge')
  ctx.fillRect(x - devicePixelRatio, bbox.top, 2 * devicePixelRatio, bbox.height)
  ctx.restore()
}

/** Error bars of dots, from low to high. */
function bars(plot: uPlot, { colour: index }: Curve, at: number): void {
  const { ctx, data } = plot
  ctx.save()
  ctx.strokeStyle = colour(`--c${index % 6}`)
  ctx.lineWidth = 1.6 * devicePixelRatio
  ctx.beginPath()
  for (let row = 0; row < data[0].length; row++) {
    const [low, high] = [data[at + 1]?.[row], data[at + 2]?.[row]]
    if (low == null || high == null) continue
    const x = plot.valToPos(data[0][row]!, 'x', true)
    ctx.moveTo(x, plot.valToPos(low, 'y', true))
    ctx.lineTo(x, plot.valToPos(high, 'y', true))
  }
  ctx.stroke()
  ctx.restore()
}
