/** @file `duet audit labels`: do the commands say what the corrections meant? A page for a person, and the answer of the simulation. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { percent } from '../metrics/percent.ts'
import { formatTable } from '../metrics/summary.ts'
import type { Rate, SweepPoint } from '../review/audit/agreement.ts'
import { readAnswers } from '../review/audit/answers.ts'
import {
  type AnsweredAudit,
  auditAnswers,
  auditLabels,
  type Comparison,
  type LabelAudit,
} from '../review/audit/audit.ts'
import { countNumber, wholeNumber } from './options.ts'

type Options = { count: number; seed: number; out?: string; answers?: string; json?: boolean }

export function register(program: Command): void {
  program
    .command('audit')
    .description('look closely at what a run recorded')
    .command('labels')
    .description(
      'draw corrections from a run, write a page that asks whether their commands fit, and compute the agreement',
    )
    .argument('<run>', 'a run folder')
    .option('--count <n>', 'corrections to draw, evenly over the commands', countNumber, 100)
    .option('--seed <n>', 'chooses them', wholeNumber, 0)
    .option('--out <file>', 'the page; by default label-audit.html in the run folder')
    .option('--answers <file>', 'read the answers that the page saved instead of drawing')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet audit labels runs/quick --count 200
  duet audit labels runs/quick --answers label-audit-quick.json
`,
    )
    .action(run)
}

async function run(path: string, options: Options): Promise<void> {
  if (options.answers !== undefined) {
    const answered = await auditAnswers(path, readAnswers(options.answers))
    process.stdout.write(`${options.json ? JSON.stringify(answered) : formatAnswers(answered)}\n`)
    return
  }
  const { audit, html } = await auditLabels(path, options)
  const page = options.out ?? join(path, 'label-audit.html')
  writeFileSync(page, html)
  process.stdout.write(`${options.json ? JSON.stringify({ page, ...audit }) : `${format(audit)}\n\nPage: ${page}`}\n`)
}

const tenths = (share: number) => percent(share, 1)
const millimetres = (metres: number) => `${(1000 * metres).toFixed(2)} mm`
const ofMany = ({ share, interval: [low, high], agree, of }: Rate) =>
  `${tenths(share)} (${tenths(low)} to ${tenths(high)}; ${agree} of ${of})`

function format({ labels, counts, drawn, threshold, window, intention, displacement }: LabelAudit): string {
  const parts = [
    `${labels} labels of ${Object.keys(counts).length} commands, ${drawn} drawn; σ ${millimetres(threshold)}, window ${window} steps`,
  ]
  if (intention)
    parts.push(
      `Against what the operator meant (the same plan, from the same scenes, by a hand that does not tremble):\n${comparison(intention)}`,
    )
  parts.push(
    `Against what the arm did (measured displacement over the same window, same σ):\n${comparison(displacement)}`,
  )
  return parts.join('\n\n')
}

function comparison({ agreement, overLog, sweep, suggested }: Comparison): string {
  const { exact, axes, axis, spoken, opposed } = agreement
  const rows = Object.entries({ exact, 'per axis': axes, ...axis, 'spoken axes': spoken }).map(([name, rate]) => [
    name,
    tenths(rate.share),
    `${tenths(rate.interval[0])} to ${tenths(rate.interval[1])}`,
    `${rate.agree} of ${rate.of}`,
  ])
  const lines = [
    formatTable(['agreement', 'share', '95 % interval', 'count'], rows),
    `exact, weighted by how often each command is said in the log: ${tenths(overLog)}; said the opposite: ${opposed}`,
  ]
  if (suggested) lines.push(advice(suggested, exact.share), sweepTable(sweep))
  return lines.join('\n')
}

const advice = ({ threshold, exact }: SweepPoint, now: number) =>
  `More than 10 % disagree. σ ${millimetres(threshold)} would agree in ${tenths(exact)} instead of ${tenths(now)}: --set talk.threshold=${threshold}`

const sweepTable = (sweep: readonly SweepPoint[]) =>
  formatTable(
    ['σ', 'exact', 'per axis', '"[null]"'],
    sweep.map((point) => [millimetres(point.threshold), ...[point.exact, point.axes, point.null].map(tenths)]),
  )

function formatAnswers({ verdict, sweep, suggested }: AnsweredAudit): string {
  const { agreed, no, edited } = verdict
  const lines = [`agreement ${ofMany(agreed)}; ${no} without a better command, ${edited} with one`]
  if (suggested)
    lines.push(
      `More than 10 % disagree. Of the answers that name a command, σ ${millimetres(suggested.threshold)} meets ${tenths(suggested.exact)}: --set talk.threshold=${suggested.threshold}`,
      sweepTable(sweep),
    )
  return lines.join('\n')
}
