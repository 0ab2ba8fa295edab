/** @file A LeRobot dataset as a source of episodes of a robot, by a mapping. Each episode is one of somebody who showed how it is done. */
import { InputError } from '../../errors.ts'
import type { Step } from '../../replay/episode.ts'
import type { Episode as ToldEpisode } from '../../replay/source.ts'
import { type EpisodeFilter, type EpisodeSource, isWanted } from '../../replay/source.ts'
import { type AskedGrip, GRIPPER_ENTRY } from '../../robot/gripper.ts'
import type { JointChain } from '../../robot/joint-chain.ts'
import { ACTION_WIDTH, type Action, type Image, type Observation, type RobotSpec } from '../../robot/robot.ts'
import type { LerobotDataset, SetEpisode } from './dataset.ts'
import { black, fitPicture } from './fit-picture.ts'
import type { Feature } from './info.ts'
import { mappedColumns, referenceOf, type SetMapping, type SetMotion } from './mapping.ts'
import { expectFrame, type NumberReader, poseIn, rotationWidth, stepsOf, walk, wayOf } from './motion.ts'
import { pictureSums } from './picture-sums.ts'
import { pictures } from './pictures.ts'
import { ProprioTeller } from './proprio.ts'
import { type EpisodeRows, readRows } from './rows.ts'

export type Chains = { motion?: JointChain; pose?: JointChain }

const LATE = 0.02 // of a frame: how much later than a step a frame may be to be the one that it sees

export class LerobotSource implements EpisodeSource {
  /** @throws InputError if a column is missing or of another width, or something of the robot is told by nobody */
  static async open(
    dataset: LerobotDataset,
    mapping: SetMapping,
    spec: RobotSpec,
    chains: Chains = {},
  ): Promise<LerobotSource> {
    const source = new LerobotSource(dataset, mapping, spec, chains)
    await source.expectFit()
    return source
  }

  readonly name: string
  private readonly chosen: readonly SetEpisode[]

  private constructor(
    private readonly dataset: LerobotDataset,
    private readonly mapping: SetMapping,
    readonly spec: RobotSpec,
    private readonly chains: Chains,
  ) {
    this.name = dataset.folder
    const { episodes } = mapping
    this.chosen = episodes ? dataset.episodes.filter(({ episode }) => episodes.includes(episode)) : dataset.episodes
  }

  async *episodes(filter: EpisodeFilter = {}): AsyncGenerator<ToldEpisode> {
    let id = 0
    for (const entry of this.chosen) {
      if (entry.metadata?.tasks.length === 1) {
        const task = this.taskFor(entry.metadata.tasks[0]!)
        if (task === undefined || !(filter.tasks?.includes(task) ?? true)) continue
      }
      const episode = await this.read(entry, id)
      if (!episode) continue
      id += episode.steps.length
      if (isWanted(episode, filter)) yield episode
    }
  }

  /** An episode by its index. @throws InputError if there is none, or its task is none of the robot's */
  async episode(index: number): Promise<ToldEpisode> {
    const entry = this.dataset.episodes.find(({ episode }) => episode === index)
    if (!entry) {
      const held = this.dataset.episodes.map(({ episode }) => episode)
      throw new InputError(this.name, `has no episode ${index}`, `It has ${held.length}: ${held[0]} to ${held.at(-1)}`)
    }
    const episode = await this.read(entry, 0)
    if (episode) return episode
    throw new InputError(`${this.name}, episode ${index}`, `is of a task that the mapping has not`, this.taskRemedy())
  }

  /** Undefined where its task is none of the robot's. */
  private async read(entry: SetEpisode, firstId: number): Promise<ToldEpisode | undefined> {
    const { dataset, mapping, spec, chains } = this
    const rows = await readRows(dataset, entry, [...mappedColumns(mapping), 'task_index'])
    const task = this.taskFor(this.textOf(entry, rows))
    if (task === undefined) return undefined
    this.expectNumbers(rows)
    const read = readerOf(rows)
    const period = rows.frames > 1 ? rows.time.at(-1)! / (rows.frames - 1) : 1 / dataset.info.fps
    const { pose, motion, base } = mapping
    const frames = Array.from({ length: rows.frames }, (_, frame) => frame)
    const tools = pose && frames.map((frame) => poseIn(pose, base, chains.pose, read, frame))
    const way = wayOf(motion, base, chains.motion, spec, read, rows.time, period, tools)
    const own = isOwn(motion, rows, spec)
    const seen = own ? [...frames, rows.frames - 1] : framesAt(rows.time, period, stepsOf(way, spec.rate), spec.rate)
    const walked = own
      ? { twists: frames.map((frame) => ownTwist(motion, read, frame)), clipped: 0 }
      : walk(way, spec, tools && ((step) => tools[seen[step]!]!.rotation))
    const grips = this.gripsOf(read, seen, rows.frames)
    const failure = this.failureOf(entry, rows, read)
    const steps = walked.twists.map((twist, t): Step => {
      const last = t === walked.twists.length - 1
      return {
        id: firstId + t,
        step: t,
        action: withGrip(twist, grips[t]!),
        reward: last && failure === undefined ? 1 : 0,
        terminated: last,
        truncated: false,
        by: 'person',
        actor: 'operator',
        command: null,
      }
    })
    const unusable =
      failure ?? ('tooFast' in walked && walked.tooFast !== undefined ? tooFast(walked.tooFast) : undefined)
    const proprio = new ProprioTeller(mapping, spec, chains.pose)
    const told = seen.slice(0, steps.length + 1).map((frame, t) => {
      const grip: AskedGrip = t === 0 ? startGrip(mapping, read) : grips[t - 1]!
      return proprio.read(read, frame, { tools, period, grip, where: rows.fileOf(frame), episode: entry.episode })
    })
    const looked = seen.slice(0, steps.length + 1)
    const sums = pictureSums(dataset, entry, rows, mapping, spec, looked, told)
    const look = (wanted: readonly number[]) => this.look(entry, rows, wanted)
    return {
      start: { episode: entry.episode, task, source: 'demonstration', seed: null },
      steps,
      end: { ending: failure === undefined ? 'success' : 'failure' },
      ...(unusable !== undefined && { unusable }),
      ...(sums && { sums }),
      async *observations() {
        let t = 0
        for await (const images of look(looked)) {
          yield { images, proprio: told[t]!.slice(), time: t / spec.rate } satisfies Observation
          t++
        }
      },
    }
  }

  /** What every camera of the robot sees at these frames. */
  private async *look(
    entry: SetEpisode,
    rows: EpisodeRows,
    wanted: readonly number[],
  ): AsyncGenerator<Record<string, Image>> {
    const { dataset, mapping, spec } = this
    const cameras = Object.entries(spec.cameras).map(([camera, view]) => {
      const given = mapping.cameras[camera]!
      if (given === null) return { camera, view, stream: undefined }
      const { feature, crop, rotate } = typeof given === 'string' ? { feature: given } : given
      const size = { width: view.width, height: view.height, crop, rotate } as Parameters<typeof fitPicture>[1]
      return { camera, view: size, stream: pictures(dataset, entry, rows, this.feature(feature), wanted) }
    })
    try {
      for (const frame of wanted) {
        const images: Record<string, Image> = {}
        for (const { camera, view, stream } of cameras) {
          if (!stream) {
            images[camera] = black(view)
            continue
          }
          const { value } = await stream.next()
          images[camera] = await fitPicture(
            value as Image,
            view,
            `camera ${camera}, frame ${frame} of episode ${entry.episode}`,
          )
        }
        yield images
      }
    } finally {
      for (const { stream } of cameras) await stream?.return(undefined)
    }
  }

  private feature(name: string): Feature {
    return this.dataset.features.get(name)!
  }

  private textOf({ metadata }: SetEpisode, rows: EpisodeRows): string {
    const index = rows.columns.get('task_index')?.values[0]
    return (index === undefined ? undefined : this.dataset.tasks.get(index)) ?? metadata?.tasks[0] ?? ''
  }

  /** By the mapping, or a text that is a task's name or instruction. */
  private taskFor(text: string): string | undefined {
    const { tasks } = this.mapping
    const same = (other: string) => other.trim().toLowerCase() === text.trim().toLowerCase()
    const known = Object.entries(this.spec.tasks)
    return tasks[text] ?? known.find(([name, { instruction }]) => same(name) || same(instruction))?.[0] ?? tasks['*']
  }

  private taskRemedy(): string {
    const texts = [...this.dataset.tasks.values()].slice(0, 3).map((text) => `"${text}"`)
    return `Write under mapping.tasks which of ${Object.keys(this.spec.tasks).join(', ')} it is: ${texts.join(', ') || '"*"'}`
  }

  private gripsOf(read: NumberReader, seen: readonly number[], frames: number): AskedGrip[] {
    const { gripper } = this.mapping
    return seen.slice(0, -1).map((frame, t) => {
      if (!gripper) return 0
      const next = t === seen.length - 2 ? frames : seen[t + 1]! // the last step goes to the end
      return gripOf(gripper, read(gripper.column, Math.max(frame, next - 1))[0]!) // what was asked for last
    })
  }

  /** Why an episode is none that shows how it is done. */
  private failureOf({ metadata }: SetEpisode, rows: EpisodeRows, read: NumberReader): string | undefined {
    const { success } = this.mapping
    if (metadata?.succeeded === false) return 'the dataset says that it failed'
    if (success === 'all') return undefined
    for (let frame = 0; frame < rows.frames; frame++) if (read(success, frame)[0]! > 0) return undefined
    return `"${success}" is true in none of its frames`
  }

  /** @throws InputError naming file, column, frame and episode of a reading that is no number */
  private expectNumbers(rows: EpisodeRows): void {
    for (const column of mappedColumns(this.mapping)) {
      const found = rows.columns.get(column)
      if (!found) throw this.noColumn(column)
      const at = found.values.findIndex((value) => !Number.isFinite(value))
      if (at < 0) continue
      const [frame, entry] = [Math.floor(at / found.width), at % found.width]
      throw new InputError(
        rows.fileOf(frame),
        `column "${column}"[${entry}] is ${found.values[at]} in frame ${frame} of episode ${rows.episode}`,
        'Mend it, or leave the episode out: mapping.episodes',
      )
    }
  }

  private noColumn(column: string): InputError {
    const numbers = [...this.dataset.features.values()].filter(({ kind }) => kind === 'number').map(({ name }) => name)
    return new InputError(this.dataset.folder, `has no column "${column}"`, `It has: ${numbers.join(', ')}`)
  }

  /** All that can be known before an episode is read in whole. */
  private async expectFit(): Promise<void> {
    const { dataset, mapping, spec, chains, chosen } = this
    const missing = mapping.episodes?.find((index) => !chosen.some(({ episode }) => episode === index))
    if (missing !== undefined)
      throw new InputError('mapping.episodes', `names episode ${missing}, which the files do not hold`, 'Leave it out')
    if (mapping.episodes === undefined && dataset.missing.length > 0) {
      const { file, episode } = dataset.missing[0]!
      const more = dataset.missing.length > 1 ? `, and those of ${dataset.missing.length - 1} further episodes` : ''
      throw new InputError(
        file,
        `is missing, with the rows of episode ${episode}${more}`,
        'Fetch it, or choose by mapping.episodes what there is',
      )
    }
    const texts = [...dataset.tasks.values()]
    if (texts.length > 0 && texts.every((text) => this.taskFor(text) === undefined))
      throw new InputError(dataset.folder, `has no task of ${spec.name}`, this.taskRemedy())
    const [first] = chosen
    if (!first)
      throw mapping.episodes
        ? new InputError('mapping.episodes', 'names no episode', 'Leave it out, and all are taken')
        : new InputError(dataset.folder, 'holds no episode', 'Record some, or fetch the dataset again, with its data')
    expectFrame(mapping.motion, mapping.pose, spec)
    this.expectCameras()
    const rows = await readRows(dataset, first, mappedColumns(mapping))
    const width = (where: string, text: string | undefined, wanted: number) => {
      if (text === undefined) return
      const { column, from, to } = referenceOf(text)
      const held = rows.columns.get(column)
      if (!held) throw this.noColumn(column)
      if (to !== null && to > held.width)
        throw new InputError(where, `takes "${text}", column "${column}" has ${held.width} numbers`, 'Count from 0')
      const given = (to ?? held.width) - from
      if (given !== wanted)
        throw new InputError(
          where,
          `takes ${wanted} numbers, "${text}" gives ${given}`,
          'Name the right ones, as "action[0:3]"',
        )
    }
    const motionWidths = (where: string, motion: SetMotion, chain: JointChain | undefined) => {
      if (motion.kind === 'joints') return width(`${where}.angles`, motion.angles, chain!.joints.length)
      width(`${where}.position`, motion.position, 3)
      width(`${where}.rotation`, motion.rotation, rotationWidth(motion))
    }
    motionWidths('mapping.motion', mapping.motion, chains.motion)
    if (mapping.pose) motionWidths('mapping.pose', mapping.pose, chains.pose)
    width('mapping.gripper.column', mapping.gripper?.column, 1)
    width('mapping.gripper.opening', mapping.gripper?.opening, 1)
    if (mapping.success !== 'all') width('mapping.success', mapping.success, 1)
    new ProprioTeller(mapping, spec, chains.pose).expectWhole(width)
  }

  private expectCameras(): void {
    const { features } = this.dataset
    const seen = [...features.values()]
      .filter(({ kind }) => kind === 'image' || kind === 'video')
      .map(({ name }) => name)
    const has = `The dataset has: ${seen.join(', ') || 'no pictures'}; null leaves a camera black`
    for (const camera of Object.keys(this.mapping.cameras))
      if (!Object.hasOwn(this.spec.cameras, camera))
        throw new InputError(
          'mapping.cameras',
          `names "${camera}"; ${this.spec.name} has ${Object.keys(this.spec.cameras).join(', ')}`,
          'Leave it out',
        )
    for (const camera of Object.keys(this.spec.cameras)) {
      const given = this.mapping.cameras[camera]
      if (given === undefined) throw new InputError(`mapping.cameras.${camera}`, 'is not set', has)
      const name = given === null || typeof given === 'string' ? given : given.feature
      if (name === null || seen.includes(name)) continue
      const depth =
        features.get(name)?.kind === 'depth'
          ? 'is depth, which is not read'
          : `is "${name}", which is no picture of the dataset`
      throw new InputError(`mapping.cameras.${camera}`, depth, has)
    }
  }
}

function readerOf(rows: EpisodeRows): NumberReader {
  const places = new Map<string, ReturnType<typeof referenceOf>>()
  return (text, frame) => {
    if (!places.has(text)) places.set(text, referenceOf(text))
    const { column, from, to } = places.get(text)!
    const { width, values } = rows.columns.get(column)!
    return values.subarray(frame * width + from, frame * width + (to ?? width))
  }
}

/** The robot's own actions at its own rate are taken as they are. */
const isOwn = (motion: SetMotion, { time }: EpisodeRows, { rate, actionFrame }: RobotSpec): boolean =>
  motion.kind === 'delta' &&
  motion.unit === 'action' &&
  motion.turn === 'action' &&
  motion.frame === actionFrame &&
  time.every((value, frame) => Math.abs(value - frame / rate) < 1e-6)

function ownTwist(motion: SetMotion, read: NumberReader, frame: number): Float32Array {
  const { position, rotation } = motion as Extract<SetMotion, { kind: 'delta' }>
  const twist = new Float32Array(ACTION_WIDTH)
  twist.set(read(position, frame))
  if (rotation !== undefined) twist.set(read(rotation, frame), 3)
  return twist.map((value) => Math.min(1, Math.max(-1, value)))
}

/** The newest frame at each step, and one more where the last step has led. */
const framesAt = (time: Float64Array, period: number, steps: number, rate: number): number[] =>
  Array.from({ length: steps + 1 }, (_, step) => {
    const next = time.findIndex((value) => value > step / rate + LATE * period)
    return next < 0 ? time.length - 1 : Math.max(0, next - 1)
  })

type Gripper = NonNullable<SetMapping['gripper']>

const openness = ({ open, closed }: Gripper, value: number) => (value - closed) / (open - closed)
const gripOf = (gripper: Gripper, value: number): AskedGrip => (openness(gripper, value) < gripper.threshold ? 1 : -1)

/** As far as it was open in the first frame; else as it was asked for there. */
function startGrip({ gripper }: SetMapping, read: NumberReader): AskedGrip {
  return gripper ? gripOf(gripper, read(gripper.opening ?? gripper.column, 0)[0]!) : 0
}

function withGrip(twist: Float32Array, grip: AskedGrip): Action {
  twist[GRIPPER_ENTRY] = grip
  return twist
}

const tooFast = (what: string) =>
  `the arm that was recorded moves faster than this one may: ${what}; raise robot.actionScale, where it can be`
