/**
 * @file A figure that a learner measures with every update. It is declared beside the loss that it comes from, noted by its
 * name, and drawn by its declaration wherever a run is shown: what draws knows no loss by name.
 */
import { z } from 'zod'

export const Figure = z.object({
  name: z.string(), // "critic.td"; of each task, robot or group of parameters "meanQ", noted as "meanQ.place"
  title: z.string(), // of its line
  chart: z.string(), // title of the chart; figures of one chart share its axis
  unit: z.string(), // of that axis
  of: z.enum(['task', 'group', 'robot']).optional(), // one value for each, and a line for each
})
export type Figure = z.infer<typeof Figure>

/** Values of one update, by name. */
export type Figures = Record<string, number>

/** The values of a figure that has one for each task, robot or group, by its name; empty where it was not measured. */
export function each(figures: Readonly<Figures>, name: string): Figures {
  const prefix = `${name}.`
  const own = Object.entries(figures).filter(([key]) => key.startsWith(prefix))
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]))
}

/** A chart of figures: one line for each of them, or for each of what one of them is of. */
export type FigureChart = { title: string; unit: string; perTask: boolean; lines: { title: string; key: string }[] }

/**
 * Every chart that these values fill, declared ones in the order of their declaration. A value that nothing declares (of a
 * run of another version) is drawn too, under the first part of its name.
 */
export function figureCharts(declared: readonly Figure[], measured: readonly Readonly<Figures>[]): FigureChart[] {
  const charts = new Map<string, FigureChart>()
  const left = new Set(measured.flatMap((figures) => Object.keys(figures)))
  const draw = (title: string, unit: string, perTask: boolean, line: FigureChart['lines'][number]) => {
    const chart = charts.get(title) ?? { title, unit, perTask, lines: [] }
    charts.set(title, chart)
    chart.lines.push(line)
    left.delete(line.key)
  }
  for (const { name, title, chart, unit, of } of declared) {
    const keys = of ? [...left].filter((key) => key.startsWith(`${name}.`)) : [...left].filter((key) => key === name)
    for (const key of keys) draw(chart, unit, of === 'task', { title: of ? key.slice(name.length + 1) : title, key })
  }
  for (const key of [...left]) {
    const [part = key, ...rest] = key.split('.')
    draw(part, 'value', false, { title: rest.join('.') || key, key })
  }
  return [...charts.values()]
}
