/** @file What a run measures, one JSON line an event in `metrics.jsonl`: the types, the appending writer, the reader. */
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { z } from 'zod'
import { InputError, systemError } from '../errors.ts'
import { JUDGES } from '../replay/transition.ts'
import { Figure } from './figure.ts'

/** JSON has no NaN or Infinity: a diverged value is written as null and read back as NaN, a gap in the curve. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN)
const share = z.number().min(0).max(1)
const per = <T extends z.ZodType>(value: T) => z.record(z.string(), value)

/**
 * `time` is wall seconds since the run began (pauses between resumed parts left out). `robotSteps` is the robots' clock:
 * online 10 Hz steps of one robot. Several robots act at the same time: theirs is that of the one furthest on, and what
 * they did together is the sum over the episodes' `length`.
 */
const clock = { time: z.number(), robotSteps: z.number() }

/** A stretch of steps in a row that the operator acted in. */
const Segment = z.object({ from: z.number(), steps: z.number() })
export type Segment = z.infer<typeof Segment>

/** How punctual a robot was commanded in an episode, ms; see loop/timing.ts. */
const LoopTimes = z.object({
  period: z.number(),
  steps: z.number(),
  jitterMedian: z.number(),
  jitter99: z.number(),
  latencyMedian: z.number(),
  latency99: z.number(),
})

const EpisodeMetric = z.object({
  kind: z.literal('episode'),
  ...clock,
  episode: z.number(),
  robot: z.string().optional(), // its cell; metrics of earlier versions have none
  task: z.string(),
  success: z.boolean(),
  aborted: z.boolean().optional(), // neither success nor failure: a person took it back, or a stop cut it short
  length: z.number(), // steps
  operatorSteps: z.number(),
  spokenSteps: z.number().optional(), // for which a command held, where somebody could speak
  commands: z.number().optional(), // given in it
  segments: z.array(Segment).optional(), // the interventions; metrics of earlier versions have none
  seed: z.number(),
  by: z.enum(JUDGES).optional(), // whose word its end was; metrics of earlier versions have none
  timing: LoopTimes.optional(), // of a robot in real time
})

const UpdateMetric = z.object({
  kind: z.literal('update'),
  ...clock,
  update: z.number(),
  phase: z.enum(['warm-up', 'online']),
  figures: per(figure), // by name; the run's "figures" line declares them
})

/** What the updates of the run measure, told when the run is opened. */
const FiguresMetric = z.object({ kind: z.literal('figures'), ...clock, declared: z.array(Figure) })

/** One trial. Equal seeds are equal starts, in every evaluation and every method. */
const TrialOutcome = z.object({
  seed: z.number(),
  success: z.boolean(),
  length: z.number(),
  by: z.enum(JUDGES).optional(), // who judged; metrics of earlier versions do not say
})
export type TrialOutcome = z.infer<typeof TrialOutcome>

const TaskScore = z.object({
  success: share,
  successes: z.number(),
  trials: z.number(),
  interval: z.tuple([share, share]), // Wilson, 95 %
  meanSteps: figure,
  outcomes: z.array(TrialOutcome).optional(), // in the order of the trials; metrics of earlier versions have none
})

export type TaskScore = z.infer<typeof TaskScore>

const EvaluationMetric = z.object({
  kind: z.literal('evaluation'),
  ...clock,
  update: z.number(),
  stage: z.enum(['step 0', 'on the way', 'final']).optional(), // metrics of earlier versions have none
  seconds: z.number().optional(), // wall time that the evaluation took; `time` is at its end
  tasks: per(TaskScore), // over all robots of the run
  robots: per(per(TaskScore)).optional(), // by cell, then task, where there are several
})

/** How the robots of a fleet are, every now and then. */
const FleetMetric = z.object({
  kind: z.literal('fleet'),
  ...clock,
  figures: per(figure), // by name, then robot; the run's "figures" line declares them
})

/** With each checkpoint of the online phase: what the learner has done by now for what the robots did. */
const LearningMetric = z.object({
  kind: z.literal('learning'),
  ...clock,
  updates: z.number(), // online updates made
  steps: z.number(), // online steps of all robots
})

const LabelsMetric = z.object({ kind: z.literal('labels'), ...clock, counts: per(z.number()) }) // of the whole dataset so far

/** A camera begins to look blind; `look` is null when it sees again. */
const CameraMetric = z.object({
  kind: z.literal('camera'),
  ...clock,
  robot: z.string(), // its cell
  camera: z.string(),
  look: z.enum(['frozen', 'flat']).nullable(),
})

/** How the parts of a robot that tell of it are, at the end of an episode. */
const ConditionMetric = z.object({
  kind: z.literal('condition'),
  ...clock,
  robot: z.string(), // its cell
  parts: z.array(
    z.object({
      part: z.string(),
      temperature: z.number(), // °C
      hottest: z.number(), // °C: a part that is hotter is a fault
      voltage: z.number(), // V
    }),
  ),
})

const HealthSign = z.object({
  sign: z.string(), // its name; equal names are the same sign
  words: z.string(),
  figure: z.string(),
  advice: z.string(),
  since: z.object(clock),
})
export type HealthSign = z.infer<typeof HealthSign>

const HealthMetric = z.object({ kind: z.literal('health'), ...clock, signs: z.array(HealthSign) }) // whenever a sign appears or clears

export const Metric = z.discriminatedUnion('kind', [
  EpisodeMetric,
  UpdateMetric,
  EvaluationMetric,
  FleetMetric,
  LearningMetric,
  LabelsMetric,
  CameraMetric,
  ConditionMetric,
  HealthMetric,
  FiguresMetric,
])
export type Metric = z.infer<typeof Metric>
export type MetricOf<K extends Metric['kind']> = Extract<Metric, { kind: K }>

/** Appends one line an event. Every line reaches the file before `write` returns; a kill can tear only the last one. */
export class MetricsWriter {
  private readonly listeners: ((metric: Metric) => void)[] = []

  private constructor(
    private readonly file: string,
    private descriptor: number | null,
  ) {}

  /** Opens or creates the file; cuts a torn last line off, so that a resumed run starts on a line of its own. */
  static open(file: string): MetricsWriter {
    const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
    const whole = bytes.lastIndexOf(0x0a) + 1
    const descriptor = openSync(file, 'a')
    if (whole < bytes.length) ftruncateSync(descriptor, whole)
    return new MetricsWriter(file, descriptor)
  }

  write(metric: Metric): void {
    if (this.descriptor === null) throw new Error('MetricsWriter.write: the file is closed')
    appendWhole(this.descriptor, this.file, `${JSON.stringify(metric)}\n`)
    for (const listener of this.listeners) listener(metric)
  }

  /** Hears each metric from now on, once it is in the file. */
  listen(listener: (metric: Metric) => void): void {
    this.listeners.push(listener)
  }

  /** Safe to call more than once. */
  close(): void {
    if (this.descriptor !== null) closeSync(this.descriptor)
    this.descriptor = null
  }
}

/** All of the text, or nothing of it. @throws InputError if the disk refuses */
function appendWhole(descriptor: number, file: string, text: string): void {
  const { size } = fstatSync(descriptor)
  const bytes = Buffer.from(text)
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
  } catch (error) {
    ftruncateSync(descriptor, size)
    throw systemError(error, file) ?? error
  }
}

/**
 * All metrics of a run, in the order written. A torn last line (no newline) is left out: the process died over it.
 * @throws InputError naming file and line if any other line is not a metric
 */
export function readMetrics(file: string): Metric[] {
  if (!existsSync(file)) throw new InputError(file, 'is missing', 'Give the folder of a run that has started')
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line, i) => parseLine(`${file}:${i + 1}`, line))
}

/** As `readMetrics`; none where nothing was measured yet. */
export const metricsSoFar = (file: string): Metric[] => (existsSync(file) ? readMetrics(file) : [])

function parseLine(where: string, line: string): Metric {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new InputError(where, 'is not JSON', 'Delete the damaged line to read the rest', { cause })
  }
  const result = Metric.safeParse(withFigures(value))
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw new InputError(
    where,
    `field "${issue!.path.join('.')}": ${issue!.message}`,
    'Delete the damaged line to read the rest',
  )
}

const NOTED = ['kind', 'time', 'robotSteps', 'update', 'phase']

/** Runs of earlier versions noted each part of an update in a field of its own. */
function withFigures(line: unknown): unknown {
  if (typeof line !== 'object' || line === null || !('kind' in line) || line.kind !== 'update' || 'figures' in line)
    return line
  const figures: Record<string, unknown> = {}
  for (const [part, value] of Object.entries(line).filter(([key]) => !NOTED.includes(key)))
    if (typeof value === 'object' && value !== null)
      for (const [name, own] of Object.entries(value)) figures[`${part}.${name}`] = own
    else figures[part] = value
  return { ...line, figures }
}
