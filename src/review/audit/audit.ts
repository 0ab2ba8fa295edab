/** @file A label audit of a run: draws triplets from its log and, in simulation, holds them against what was meant and what the arm did. */
import { basename, join } from 'node:path'
import { InputError } from '../../errors.ts'
import { readEpisodes } from '../../replay/log-reader.ts'
import type { Rig } from '../../robot/rig.ts'
import type { CameraMount, RobotSpec } from '../../robot/robot.ts'
import { describeRobot, openRig } from '../../robots/index.ts'
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
import { type Answers, type AuditAnswer, judgeAnswers } from './answers.ts'
import { intentionOf } from './intention.ts'
import { renderAudit } from './page.ts'
import {
  type Correction,
  correctionsOf,
  directionOf,
  drawEvenly,
  episodeKey,
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
    group: episodeKey(triplet),
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

/** A robot of the run: where its log lies, its labels' rule and translator, and one like it where a simulated operator tended it. */
type Stand = { cell: string; log: string; spec: RobotSpec; rule: LabelRule; translator: Translator; rig?: Rig }

/** Runs `use` with what is known of each robot of the run. A real robot is not touched. */
async function withStands<T>(
  { log }: RunFolder,
  config: Pick<RunConfig, 'robot' | 'talk' | 'operator'>,
  use: (stands: readonly Stand[]) => T,
): Promise<T> {
  const stands: Stand[] = []
  try {
    for (const [index, cell] of config.robot.cells.entries()) {
      const spec = describeRobot(config.robot, cell)
      expectPosition(spec)
      const rig = config.operator.kind === 'simulated' ? await openRig(config.robot, cell, { blind: true }) : undefined
      const rule = labelRule(config, spec)
      const translator = ruleTranslator(rule)
      stands.push({ cell, spec, rig, log: index === 0 ? log : join(log, cell), rule, translator })
    }
    return use(stands)
  } finally {
    for (const { rig } of stands) await rig?.close()
  }
}

/** A camera that stands still, and where it does in each cell; undefined where none is known. */
function standingCamera(stands: readonly Stand[]): { name: string; poses: Record<string, CameraMount> } | undefined {
  const poses = stands.flatMap(({ cell, spec }) =>
    Object.entries(spec.cameras).flatMap(([name, { mount }]) =>
      mount?.mount === 'base' ? [{ name, cell, mount }] : [],
    ),
  )
  const name = poses[0]?.name
  if (name === undefined) return undefined
  return {
    name,
    poses: Object.fromEntries(poses.filter((pose) => pose.name === name).map(({ cell, mount }) => [cell, mount])),
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
    const { window, threshold } = rule
    const camera = standingCamera(stands)
    const page = { run: basename(folder.path), seed, window, threshold, commands: translator.commands.all }
    return { audit, html: renderAudit({ ...page, triplets, camera }) }
  })
}

/** Frames of what was drawn, and what the simulated operator meant, where its scenes can be had again. */
function examine(stands: readonly Stand[], { operator }: RunConfig, drawn: readonly Correction[]) {
  const triplets: Triplet[] = []
  const meant = new Map<string, Direction>()
  for (const { cell, log, rig, translator } of stands)
    for (const episode of readEpisodes(log)) {
      const own = drawn.filter((one) => one.cell === cell && one.episode === episode.start.episode)
      if (own.length === 0) continue
      triplets.push(...own.map((correction) => tripletOf(correction, episode)))
      if (!rig?.simulation) continue
      const { labels, parted } = intentionOf(episode, rig.simulation, operator.strength, translator)
      if (parted > 0) continue // another build of the simulator: its truth is not that of the log
      for (const { key, step } of own) meant.set(key, labels[step]!.direction)
    }
  return { triplets, meant }
}

export type AnsweredAudit = { verdict: AuditAnswer; sweep: SweepPoint[]; suggested?: SweepPoint }

/** What a person's answers come to, held against the run's log. */
export function auditAnswers(path: string, answers: Answers): Promise<AnsweredAudit> {
  const { folder, config } = RunFolder.open(path)
  const talk = { window: answers.window, threshold: answers.threshold }
  return withStands(folder, { ...config, talk }, (stands) => {
    const [{ rule, translator }] = stands as [Stand, ...Stand[]]
    return thresholdsOf(judgeAnswers(answers, readCorrections(stands), translator), rule)
  })
}

/** How far other thresholds would meet the answers that name a command: a plain no is met by none. */
export function thresholdsOf(
  verdict: AuditAnswer,
  { threshold, tie }: Pick<LabelRule, 'threshold' | 'tie'>,
): AnsweredAudit {
  const { meant, agreed } = verdict
  if (meant.length === 0) return { verdict, sweep: [] }
  const sweep = sweepThresholds(meant, tie)
  const [now] = sweepThresholds(meant, tie, [threshold])
  const best = bestThreshold(sweep)
  const mends = 1 - agreed.share > DISAGREEMENT && best.exact > now!.exact
  return { verdict, sweep, ...(mends && { suggested: best }) }
}

export function countCommands(corrections: readonly Pick<Correction, 'label'>[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { label } of corrections) counts[label.command] = (counts[label.command] ?? 0) + 1
  return counts
}
