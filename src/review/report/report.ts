/** @file The report of a run: everything a reader needs in one HTML file, drawn from the run folder alone. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, parse } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { writeWhole } from '../../durable.ts'
import { InputError } from '../../errors.ts'
import { type Metric, readMetrics } from '../../metrics/metrics.ts'
import { type Summary, summarise } from '../../metrics/summary.ts'
import { RunFolder } from '../../run/folder.ts'
import type { RunPart } from '../../run/history.ts'
import type { RunListener } from '../../run/train.ts'
import { recordedRate } from '../recorded-rate.ts'
import { page } from './page.ts'
import {
  balance,
  cameraFrames,
  fleet,
  headline,
  health,
  interventions,
  labels,
  losses,
  origin,
  results,
  success,
  taskNames,
} from './sections.ts'
import { element, escapeText } from './svg.ts'

const MOST_FRAMES = 24

export type ReportInput = {
  name: string // of the run
  metrics: readonly Metric[]
  summary: Summary
  rate?: number // Hz of the robot, 10 where nothing is said
  config: string // YAML
  command?: string
  parts?: readonly RunPart[]
  frames?: readonly { name: string; png: Buffer }[]
}

export function renderReport({
  name,
  metrics,
  summary,
  rate,
  config,
  command,
  parts = [],
  frames = [],
}: ReportInput): string {
  const tasks = taskNames(metrics)
  return page(
    `Duet: ${name}`,
    element('h1', {}, escapeText(name)),
    element(
      'p',
      { class: 'quiet' },
      `Dual-actor fine-tuning of ${tasks.length} tasks: ${escapeText(tasks.join(', '))}`,
    ),
    headline(summary),
    results(summary, tasks),
    success(metrics, tasks, rate),
    interventions(metrics, tasks, rate),
    fleet(metrics),
    health(metrics, rate),
    balance(metrics, tasks),
    losses(metrics, tasks),
    labels(metrics),
    cameraFrames(frames),
    origin(command, parts, config),
  )
}

/**
 * Writes `report.html` into the run folder, from `metrics.jsonl`, `config.yaml` and, where there are, the log's first words,
 * `command.txt`, `history.json` and `frames/*.png`. May be called while the run goes on. Returns the path of the report.
 * @throws InputError if metrics or config are missing or damaged
 */
export function writeReport(path: string): string {
  const folder = new RunFolder(path)
  const metrics = readMetrics(folder.metrics)
  const config = required(folder.config)
  const rate = recordedRate(folder)
  const html = renderReport({
    name: basename(folder.path),
    metrics,
    summary: summarise(metrics, { seed: seedOf(folder.config, config), rate }),
    rate,
    config,
    command: existsSync(folder.command) ? readFileSync(folder.command, 'utf8') : undefined,
    parts: folder.parts(),
    frames: readFrames(folder.frames),
  })
  writeWhole(folder.report, html)
  return folder.report
}

/** Leaves a report behind each time that a run, or a part of it, is over. */
export const reportListener: RunListener = { finished: ({ path }) => void writeReport(path) }

function required(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8')
  throw new InputError(file, 'is missing', 'Give the folder of a run; each run saves its settings there')
}

function seedOf(file: string, config: string): number {
  const settings: unknown = parseYaml(config)
  const seed = typeof settings === 'object' && settings !== null && 'seed' in settings ? settings.seed : undefined
  if (typeof seed === 'number') return seed
  throw new InputError(file, 'has no seed', 'Use the config that the run saved, with all settings resolved')
}

/** All frames, or evenly chosen ones where there are too many for a page. */
function readFrames(folder: string): { name: string; png: Buffer }[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.png'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const every = Math.max(1, files.length / MOST_FRAMES)
  const chosen = Array.from({ length: Math.min(files.length, MOST_FRAMES) }, (_, i) => files[Math.floor(i * every)])
  return chosen.map((file) => ({ name: parse(file!).name, png: readFileSync(join(folder, file!)) }))
}
