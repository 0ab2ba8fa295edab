/** @file From sections to docs/results.md: one generated part an experiment, between markers; all other prose stays. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { formatTable } from '../metrics/summary.ts'
import { standaloneSvg } from '../review/report/standalone.ts'
import { flatSettings } from '../run/differences.ts'
import { type PresetName, USUAL_PRESET } from '../run/presets.ts'
import { version } from '../run/version.ts'
import type { Experiment, ExperimentOptions, Section, Table } from './experiment.ts'
import { PROTOCOL } from './protocol.ts'
import type { Recipe } from './recipe.ts'
import type { DiskWorkbench } from './workbench.ts'

const PAGE = 'results.md'
const FIGURES = 'results'

export type Making = {
  preset: PresetName
  options: ExperimentOptions
  wallMinutes: number
  runs: DiskWorkbench['used']
  recipe?: Recipe // what reporting seeds were run by
}

/** Writes plots, and the section into the page; a new page or section where there is none. @returns the page's path */
export function publish(docs: string, asked: Experiment, section: Section, making: Making): string {
  const experiment = asPublished(asked, making)
  const page = join(docs, PAGE)
  const figures = join(docs, FIGURES)
  mkdirSync(figures, { recursive: true })
  writePlots(figures, experiment.name, section)
  const before = existsSync(page) ? readFileSync(page, 'utf8') : '# Results\n'
  writeWhole(page, replacePart(page, before, experiment.name, markdown(experiment, section, making)))
  return page
}

/** What another preset or other training seeds than the protocol's come to stands beside its section, not in its place. */
function asPublished(experiment: Experiment, { preset, options: { purpose, seeds } }: Making): Experiment {
  const usual = new Set(PROTOCOL[purpose].seeds)
  const others = [
    ...(preset === USUAL_PRESET ? [] : [{ name: preset, title: `preset \`${preset}\`` }]),
    ...(seeds.length === usual.size && seeds.every((seed) => usual.has(seed))
      ? []
      : [{ name: `seeds-${seeds.join('-')}`, title: trainedOn(seeds) }]),
  ]
  const { name, title, asked = name } = experiment
  return {
    ...experiment,
    asked,
    name: [name, ...others.map((other) => other.name)].join('-'),
    title: [title, ...others.map((other) => other.title)].join(', '),
  }
}

/** @throws InputError if only one of the two markers is there */
export function replacePart(where: string, text: string, name: string, part: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`]
  const whole = `${begin}\n${part}\n${end}`
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 && to < 0) return `${text.trimEnd()}\n\n${whole}\n`
  if (from < 0 || to < from)
    throw new InputError(where, `the markers of ${name} are not a pair`, `Write ${begin} and ${end} around its part`)
  return text.slice(0, from) + whole + text.slice(to + end.length)
}

export function writePlots(folder: string, name: string, { plots }: Section): void {
  for (const { name: plot, plot: chart } of plots) writeWhole(join(folder, `${name}-${plot}.svg`), standaloneSvg(chart))
}

/** The command that makes an experiment with these options, in full. `asked`: its name, and the regime if it is in one. */
export function commandOf(asked: string, preset: PresetName, options: ExperimentOptions): string {
  const settings = Object.entries(flatSettings(options.overrides)).filter(([setting]) => setting)
  return [
    `npx duet experiments ${asked} --preset ${preset} --seeds ${options.seeds.join(',')}`,
    `--trials ${options.trials} --robot-minutes ${options.robotMinutes}`,
    ...(options.purpose === 'tuning' ? ['--tuning'] : []),
    ...settings.map(([setting, value]) => `--set '${setting}=${JSON.stringify(value)}'`),
    '--publish',
  ].join(' ')
}

export function markdown(experiment: Experiment, section: Section, making: Making): string {
  const { name, asked = name, title, question } = experiment
  return [
    `## ${title}`,
    question,
    describePurpose(making),
    ...section.tables.map(markdownTable),
    ...section.plots.map(({ name: plot, plot: chart }) => figure(`${FIGURES}/${name}-${plot}.svg`, chart)),
    ...section.notes,
    origin(asked, making),
  ].join('\n\n')
}

/** Which seeds a section shows, and what they were kept from. */
function describePurpose({ options: { purpose, seeds }, recipe, runs }: Making): string {
  const start = PROTOCOL[purpose].firstStart.toLocaleString('en')
  const where = `${trainedOn(seeds)}${runs.size > 0 ? `, evaluation starts from ${start} on` : ''}`
  if (purpose === 'tuning') return `*Tuning: ${where}. Settings were chosen on these: no result.*`
  const frozen = recipe ? ` The recipe is that of ${recipe.commit}, frozen on ${recipe.day}` : ' No recipe is named'
  return `*Reporting: ${where}.${frozen}: nothing was chosen on these.*`
}

/** The same for a terminal. */
export function printed({ title, question }: Experiment, { tables, notes }: Section, making: Making): string {
  const drawn = tables.map(({ title: heading, header, rows }) =>
    [...(heading ? [heading, ''] : []), formatTable(header, rows)].join('\n'),
  )
  return [title, question, describePurpose(making), ...drawn, ...notes].join('\n\n')
}

function markdownTable({ title, header, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'))
  const lines = [line(header), line(rule), ...rows.map(line)].join('\n')
  return title ? `**${title}**\n\n${lines}` : lines
}

const figure = (path: string, { title, caption }: Section['plots'][number]['plot']) =>
  [`![${title}](${path})`, ...(caption ? [`*${caption}*`] : [])].join('\n\n')

function origin(asked: string, { preset, options, wallMinutes, runs }: Making): string {
  const lines = [...runs].map(([run, { settings, seeds, versions }]) => {
    const set = Object.entries(settings).map(([setting, value]) => `\`${setting}=${JSON.stringify(value)}\``)
    const of = [...versions].join(', ')
    return `- ${run}, seeds ${seeds.toSorted((a, b) => a - b).join(', ')}: ${set.join(', ') || 'as the preset'}${of && ` (${of})`}`
  })
  const day = new Date().toISOString().slice(0, 10)
  const by = version()
  return [
    `Made by \`${commandOf(asked, preset, options)}\``,
    `Wall time of its runs together ${wallMinutes.toFixed(0)} min. Written on ${day}${by ? `, version ${by}` : ''}.`,
    ...(lines.length > 0 ? [`Runs, and what they set beside the preset:\n${lines.join('\n')}`] : []),
  ].join('\n\n')
}

const trainedOn = (seeds: readonly number[]) => `training ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`
