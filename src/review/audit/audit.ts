/** @file A label audit of a run: draws triplets from its log and, in simulation, holds them against what was meant and what the arm did. */
import { basename, join } from 'node:path'
import { InputError } from '../../errors.ts'
import { readEpisodes } from '../../replay/log-reader.ts'
import { frontCamera } from '../../robots/workcell/appearance.ts'
import { OPERATORS } from '../../robots/workcell/operator/options.ts'
import { CELL_OPTIONS, type Cell } from '../../robots/workcell/options.ts'
import { Workcell } from '../../robots/workcell/workcell.ts'
import type { RunConfig } from '../../run/config.ts'
import { RunFolder } from '../../run/folder.ts'
import { labelRule } from '../../run/label-rule.ts'
import type { LabelRule } from '../../talk/labels.ts'
import { ruleTranslator, type Translator } from '../../talk/translator.ts'
import type { Direction } from '../../talk/vocabulary.ts'
import {
  type Agreement,
  agreement,
  bestThreshold,
  type SweepPoint,
  sweepThresholds,
  weightedByFrequency,
} from './agreement.ts'
import { type Answers, judgeAnswers, type Verdict } from './answers.ts'
import { intentionOf } from './intention.ts'
import { renderAudit } from './page.ts'
import {
  type Correction,
  correctionsOf,
  directionOf,
  drawEvenly,
  expectPosition,
  type Triplet,
  tripletOf,
} from './triplets.ts'

/** Labels held against one source of truth. */
export type Comparison = {
  agreement: Agreement
  overLog: number // exact agreement, weighted by how often each command is said in the log
  sweep: SweepPoint[]
  suggested?: SweepPoint // where more than 10 % disagree and another threshold does better
}

export type LabelAudit = {
  labels: number // in the whole log
  counts: Record<string, number> // by command, in the whole log
  drawn: number
  threshold: number
  window: number
  /** Against the operator's intention: what a still hand would have pushed. Only with a simulated operator. */
  intention?: Comparison
  /** Against the measured displacement of the arm over the same window, at the same threshold. */
  displacement: Comparison
}

const FRONT = 'front' // the camera that stands still
const DISAGREEMENT = 0.1 // more than this, and another σ is suggested

/** `truth` gives the direction that should have been said. */
function compare(
  triplets: readonly Triplet[],
  truth: (triplet: Triplet) => Direction,
  counts: Record<string, number>,
  { threshold, tie }: { threshold: number; tie: number },
): Comparison {
  const judged = triplets.map((triplet) => ({
    said: triplet.label.direction,
    meant: truth(triplet),
    delta: triplet.label.delta,
  }))
  const found = agreement(judged)
  const sweep = sweepThresholds(judged, tie)
  return {
    agreement: found,
    overLog: weightedByFrequency(found, counts),
    sweep,
    suggested: suggest(found, sweep, threshold),
  }
}

function suggest({ exact }: Agreement, sweep: readonly SweepPoint[], threshold: number): SweepPoint | undefined {
  if (1 - exact.share <= DISAGREEMENT) return undefined
  const best = bestThreshold(sweep)
  return best.threshold !== threshold && best.exact > exact.share ? best : undefined
}

/** A robot of the run: where its log lies, a workcell like its own, the rule of its labels and their translator. */
type Stand = { cell: Cell; log: string; workcell: Workcell; rule: LabelRule; translator: Translator }

/** Runs `use` with a workcell for each robot of the run, without cameras. */
async function withStands<T>(
  { log }: RunFolder,
  config: Pick<RunConfig, 'robot' | 'talk'>,
  use: (stands: readonly Stand[]) => T,
): Promise<T> {
  const { arm, bolts, cells } = config.robot
  const stands: Stand[] = []
  try {
    for (const [index, cell] of cells.entries()) {
      const workcell = await Workcell.create({ arm, bolts, cameras: false, ...CELL_OPTIONS[cell] })
      expectPosition(workcell.spec.proprio)
      const rule = labelRule(config, workcell.spec)
      const translator = ruleTranslator(rule)
      stands.push({ cell, workcell, log: index === 0 ? log : join(log, cell), rule, translator })
    }
    return use(stands)
  } finally {
    for (const { workcell } of stands) workcell.free()
  }
}

/** Every corrected step of the run. */
function readCorrections(stands: readonly Stand[]): Correction[] {
  const corrections: Correction[] = []
  for (const { log, translator, cell } of stands)
    for (const episode of readEpisodes(log)) corrections.push(...correctionsOf(episode, translator, cell))
  return corrections
}

/** Draws `count` triplets of the run and compares them. Returns the page too. @throws InputError if the run has no corrections */
export function auditLabels(
  path: string,
  { count, seed }: { count: number; seed: number },
): Promise<{ audit: LabelAudit; html: string }> {
  const { folder, config } = RunFolder.open(path)
  return withStands(folder, config, (stands) => {
    const corrections = readCorrections(stands)
    if (corrections.length === 0)
      throw new InputError(path, 'has no corrected step in its log', 'Train with an operator, or give another run')
    const drawn = drawEvenly(corrections, count, seed)
    const { triplets, meant } = examine(stands, config, drawn)
    const counts = countCommands(corrections)
    const known = triplets.filter(({ key }) => meant.has(key))
    const [{ rule, translator }] = stands as [Stand, ...Stand[]]
    const audit: LabelAudit = {
      labels: corrections.length,
      counts,
      drawn: triplets.length,
      threshold: rule.threshold,
      window: rule.window,
      ...(known.length > 0 && { intention: compare(known, ({ key }) => meant.get(key)!, counts, rule) }),
      displacement: compare(triplets, ({ moved }) => directionOf(moved, rule), counts, rule),
    }
    const cameras = stands.map(({ cell, workcell }) => [cell, frontCamera(workcell.options.frontCamera)] as const)
    const { window, threshold } = rule
    const camera = { name: FRONT, poses: Object.fromEntries(cameras) }
    const page = { run: basename(folder.path), seed, window, threshold, commands: translator.commands.all }
    return { audit, html: renderAudit({ ...page, triplets, camera }) }
  })
}

/** Frames of what was drawn, and what the simulated operator meant, where its scenes can be had again. */
function examine(stands: readonly Stand[], { operator }: RunConfig, drawn: readonly Correction[]) {
  const triplets: Triplet[] = []
  const meant = new Map<string, Direction>()
  for (const { cell, log, workcell, translator } of stands)
    for (const episode of readEpisodes(log)) {
      const own = drawn.filter((one) => one.cell === cell && one.episode === episode.start.episode)
      if (own.length === 0) continue
      triplets.push(...own.map((correction) => tripletOf(correction, episode)))
      if (operator.kind !== 'simulated') continue
      const { labels, parted } = intentionOf(episode, workcell, OPERATORS[operator.strength], translator)
      if (parted > 0) continue // another build of the simulator: its truth is not that of the log
      for (const { key, step } of own) meant.set(key, labels[step]!.direction)
    }
  return { triplets, meant }
}

export type AnsweredAudit = { verdict: Verdict; sweep: SweepPoint[]; suggested?: SweepPoint }

/** What a person's answers come to, held against the run's log. */
export function auditAnswers(path: string, answers: Answers): Promise<AnsweredAudit> {
  const { folder, config } = RunFolder.open(path)
  const talk = { window: answers.window, threshold: answers.threshold }
  return withStands(folder, { ...config, talk }, (stands) => {
    const [{ rule, translator }] = stands as [Stand, ...Stand[]]
    const verdict = judgeAnswers(answers, readCorrections(stands), translator)
    if (verdict.meant.length === 0) return { verdict, sweep: [] }
    const sweep = sweepThresholds(verdict.meant, rule.tie)
    const disagreed = 1 - verdict.agreed.share > DISAGREEMENT
    return { verdict, sweep, ...(disagreed && { suggested: bestThreshold(sweep) }) }
  })
}

export function countCommands(corrections: readonly Pick<Correction, 'label'>[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { label } of corrections) counts[label.command] = (counts[label.command] ?? 0) + 1
  return counts
}
