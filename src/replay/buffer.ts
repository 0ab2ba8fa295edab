/** @file The replay: what the learner samples from. Features only; the images stay in the log, from which it can be rebuilt. */
import { InputError, ShapeError } from '../errors.ts'
import type { RandomStream } from '../random/stream.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { CommandEncoder } from '../talk/embedding.ts'
import { heededLabels } from '../talk/heeded.ts'
import type { Translator } from '../talk/translator.ts'
import { type EncodedObservation, EpisodeAssembler, type WholeEpisode } from './assembler.ts'
import { CommandTable } from './command-table.ts'
import type { EpisodeEnd, EpisodeStart, Step } from './episode.ts'
import { EpisodeStore, type StoreShape } from './episode-store.ts'
import { monteCarloReturns, stretches } from './returns.ts'
import { SerialQueue } from './serial-queue.ts'
import { worthCloning } from './worth-cloning.ts'

/** What of online episodes is cloned: all interventions, those of episodes with a reward, or all steps of such episodes. */
export type Cloned = 'interventions' | 'successful interventions' | 'successes'

export type ReplayOptions = StoreShape & {
  tasks: readonly string[] // their order is the task index
  discount: number // γ, per step
  returnSteps: number // n: steps that a TD target sums over at most
  clones: Cloned
  idle?: number // steps for which an arm stands still before something is tried (worth-cloning.ts); 0
  translator: Translator
  commands: CommandEncoder
  demonstrationCapacity: number // observations
  onlineCapacity: number // observations
}

/**
 * Columns of a batch, [rows, ...] each; features are [rows, camera, channel, space]. A larger array with several tasks'
 * batches in a row serves as well: `offset` says which row is the first.
 */
export type TransitionRows = {
  h: Float32Array
  features: Float32Array
  proprio: Float32Array
  action: Float32Array
  reward: Float32Array // of the steps up to the next state, discounted
  terminated: Float32Array // 1: do not bootstrap. A truncated step is 0
  discount: Float32Array // of the value of the next state
  nextH: Float32Array
  nextFeatures: Float32Array
  nextProprio: Float32Array
  mcReturn: Float32Array
  bcMask: Float32Array // 1 for demonstrations and interventions, which are cloned
}

export type TransitionRequest = {
  task: string
  count: number
  demonstrationShare?: number // of demonstrations ∪ interventions; 0.5. Where one side is empty the other fills in
  interventionShare?: number // of interventions among these; left out: as many as there are, all steps alike
  offset?: number // first row to write; 0
}

export type TalkRows = {
  h: Float32Array
  features?: Float32Array // left out where nobody looks at the feature maps
  proprio: Float32Array
  action: Float32Array
  command: Float32Array // [rows, CommandEncoder.width]
  task: Int32Array // [rows] task index
}

export type TaskStats = {
  demonstrations: number
  interventions: number
  rollouts: number
  successes: number // of the rollouts, those that are cloned as well
  labels: Record<string, number> // talk-and-tweak entries by command
}

export type ReplayStats = {
  tasks: Record<string, TaskStats>
  episodes: number
  transitions: number
  allocatedBytes: number
  bytesPerTransition: number
}

/** The three sets of one task: D_demos, D_intv (cloned like demonstrations), D_rollouts; of the last, what is cloned as well. */
type Partitions = Record<'demonstrations' | 'interventions' | 'rollouts' | 'successes' | 'talk', SerialQueue>

/**
 * Open episodes wait beside the stores, one a robot. At its end an episode enters whole: its last step is settled, returns
 * and labels are known, and intervened steps go to the demonstrations while the episode stays contiguous. So no sample
 * can hold a wrong successor, an unfinished return, or an image of another step.
 */
export class ReplayBuffer {
  private readonly assembler: EpisodeAssembler
  private readonly demonstrations: EpisodeStore
  private readonly online: EpisodeStore
  private readonly partitions: Map<string, Partitions>
  private readonly commands: CommandTable

  constructor(readonly options: ReplayOptions) {
    this.assembler = new EpisodeAssembler(options)
    this.demonstrations = new EpisodeStore(options, options.demonstrationCapacity)
    this.online = new EpisodeStore(options, options.onlineCapacity)
    const partitions = (): Partitions => ({
      demonstrations: new SerialQueue(),
      interventions: new SerialQueue(),
      rollouts: new SerialQueue(),
      successes: new SerialQueue(),
      talk: new SerialQueue(),
    })
    this.partitions = new Map(options.tasks.map((task) => [task, partitions()]))
    this.commands = new CommandTable(options.commands)
  }

  /** A new episode with its first observation. @returns false for a repeat, which is ignored */
  begin(start: EpisodeStart, observation: EncodedObservation): boolean {
    this.task(start.task)
    return this.assembler.begin(start, observation)
  }

  /** A step and the observation that it led to. @returns false for a repeat. @throws InputError on a gap or a non-finite number */
  step(episode: number, step: Step, next: EncodedObservation): boolean {
    return this.assembler.step(episode, step, next)
  }

  /** Ends an episode: its transitions can be sampled from now on. An episode without a step leaves nothing. */
  end(episode: number, end: EpisodeEnd) {
    const whole = this.assembler.end(episode, end)
    if (whole) this.enter(whole)
  }

  private enter({ start, observations, steps }: WholeEpisode) {
    const partitions = this.task(start.task)
    const rewards = steps.map((step) => step.reward)
    const { translator, discount, returnSteps: most, clones, idle = 0 } = this.options
    const earned = rewards.some((reward) => reward > 0)
    const returns = monteCarloReturns(rewards, discount)
    const store = start.source === 'demonstration' ? this.demonstrations : this.online
    const first = store.add({ start, observations, steps, returns, stretches: stretches(steps, { discount, most }) })
    if (start.source === 'demonstration') {
      for (let t = 0; t < steps.length; t++) partitions.demonstrations.push(first + t)
    } else {
      const corrected = translator.label(steps.map((step) => ({ ...step, intervened: step.actor === 'operator' })))
      const told = heededLabels(
        steps.map((step) => ({ ...step, followed: step.actor === 'refinement' })),
        translator,
      )
      const worth = worthCloning(steps, idle)
      for (let t = 0; t < steps.length; t++) {
        const intervened = corrected[t] && (clones === 'interventions' || earned)
        const set = intervened ? partitions.interventions : partitions.rollouts
        set.push(first + t)
        if (clones === 'successes' && earned && !intervened && worth[t]) partitions.successes.push(first + t)
        const label = corrected[t] ?? told[t]
        if (label) partitions.talk.push(first + t, this.commands.index(label.command))
      }
    }
    this.forgetDropped()
  }

  private forgetDropped() {
    for (const { demonstrations, ...online } of this.partitions.values()) {
      demonstrations.dropBelow(this.demonstrations.oldest)
      for (const queue of Object.values(online)) queue.dropBelow(this.online.oldest)
    }
  }

  /**
   * Draws `count` transitions of a task with replacement and writes them from row `offset` on; rows of demonstrations ∪
   * interventions come first. Only the columns that `out` has are written. Source: docs/method.md §5, half demos ∪ interventions, half rollouts.
   * Where nothing else is asked for, own successes come among them, if they are cloned; in a mixed batch they are rollouts.
   *
   * @returns how many rows are cloned ones
   * @throws InputError if the task has no transition yet, ShapeError if a column is too short
   */
  sampleTransitions(request: TransitionRequest, random: RandomStream, out: Partial<TransitionRows>): number {
    const { task, count, demonstrationShare = 0.5, interventionShare, offset = 0 } = request
    this.expectRows(out, offset + count)
    const { demonstrations, interventions, rollouts, successes } = this.task(task)
    const own = demonstrationShare === 1 ? successes.length : 0
    const learned = interventions.length + own
    const cloned = demonstrations.length + learned
    if (cloned + rollouts.length === 0) {
      throw new InputError(
        `replay of task ${task}`,
        'holds no transition yet',
        'Load demonstrations, or wait until an episode has ended',
      )
    }
    let fromCloned = Math.ceil(count * demonstrationShare)
    if (cloned === 0) fromCloned = 0
    else if (rollouts.length === 0) fromCloned = count
    const share = interventionShare ?? learned / cloned
    for (let i = 0; i < count; i++) {
      const row = offset + i
      if (i >= fromCloned) this.write(this.online, rollouts.at(random.integer(rollouts.length)), 0, random, out, row)
      else if (demonstrations.length === 0 || (learned > 0 && random.uniform() < share)) {
        const pick = random.integer(learned)
        const serial = pick < interventions.length ? interventions.at(pick) : successes.at(pick - interventions.length)
        this.write(this.online, serial, 1, random, out, row)
      } else
        this.write(this.demonstrations, demonstrations.at(random.integer(demonstrations.length)), 1, random, out, row)
    }
    return fromCloned
  }

  private write(
    store: EpisodeStore,
    serial: number,
    bc: 0 | 1,
    random: RandomStream,
    out: Partial<TransitionRows>,
    at: number,
  ) {
    const variants = 1 + this.options.copies
    store.readObservation(serial, random.integer(variants), out.h, out.features, out.proprio, at)
    store.readObservation(
      serial + store.ahead(serial),
      random.integer(variants),
      out.nextH,
      out.nextFeatures,
      out.nextProprio,
      at,
    )
    if (out.action) store.readAction(serial, out.action, at)
    if (out.reward) out.reward[at] = store.reward(serial)
    if (out.discount) out.discount[at] = store.discount(serial)
    if (out.terminated) out.terminated[at] = store.terminated(serial)
    if (out.mcReturn) out.mcReturn[at] = store.mcReturn(serial)
    if (out.bcMask) out.bcMask[at] = bc
  }

  /** Entries of the talk-and-tweak dataset, over all tasks. */
  get talkCount(): number {
    let count = 0
    for (const { talk } of this.partitions.values()) count += talk.length
    return count
  }

  /** Draws `count` entries of D_tt with replacement, uniformly over all tasks. @throws InputError while there are none */
  sampleTalk(count: number, random: RandomStream, out: TalkRows, offset = 0) {
    const total = this.talkCount
    if (total === 0) {
      throw new InputError(
        'talk-and-tweak dataset',
        'holds no entry yet',
        'It grows when an episode with an intervention ends; ask talkCount first',
      )
    }
    this.expectRows(out, offset + count)
    for (let at = offset; at < offset + count; at++) {
      let pick = random.integer(total)
      let task = 0
      while (pick >= this.talkOf(task).length) pick -= this.talkOf(task++).length
      const serial = this.talkOf(task).at(pick)
      this.online.readObservation(serial, random.integer(1 + this.options.copies), out.h, out.features, out.proprio, at)
      this.online.readAction(serial, out.action, at)
      this.commands.write(this.talkOf(task).tag(pick), out.command, at)
      out.task[at] = task
    }
  }

  /** Transitions of each task by what they are; cheap enough to ask at every update. */
  counts(): Record<string, Omit<TaskStats, 'labels'>> {
    return Object.fromEntries(
      [...this.partitions].map(([task, { demonstrations, interventions, rollouts, successes }]) => [
        task,
        {
          demonstrations: demonstrations.length,
          interventions: interventions.length,
          rollouts: rollouts.length,
          successes: successes.length,
        },
      ]),
    )
  }

  stats(): ReplayStats {
    const counts = this.counts()
    const tasks = Object.fromEntries(
      [...this.partitions].map(([task, { talk }]) => {
        const labels: Record<string, number> = {}
        for (let i = 0; i < talk.length; i++) {
          const command = this.commands.names[talk.tag(i)]!
          labels[command] = (labels[command] ?? 0) + 1
        }
        return [task, { ...counts[task]!, labels }]
      }),
    )
    const transitions = Object.values(tasks).reduce((n, t) => n + t.demonstrations + t.interventions + t.rollouts, 0)
    return {
      tasks,
      episodes: this.demonstrations.episodes().length + this.online.episodes().length,
      transitions,
      allocatedBytes: this.demonstrations.allocatedBytes + this.online.allocatedBytes,
      bytesPerTransition: this.online.bytesPerObservation,
    }
  }

  private task(task: string): Partitions {
    const partitions = this.partitions.get(task)
    if (!partitions) {
      throw new InputError('replay', `"${task}" is not one of its tasks`, `Use one of ${this.options.tasks.join(', ')}`)
    }
    return partitions
  }

  private talkOf(index: number): SerialQueue {
    return this.partitions.get(this.options.tasks[index]!)!.talk
  }

  private expectRows(columns: Partial<TransitionRows> | TalkRows, rows: number) {
    const { embeddingWidth: h, proprioWidth: proprio, commands } = this.options
    const features = this.online.featureLength
    const widths: Record<string, number> = {
      ...{ h, nextH: h, features, nextFeatures: features, proprio, nextProprio: proprio },
      ...{ action: ACTION_WIDTH, command: commands.width },
    }
    for (const [name, column] of Object.entries(columns)) {
      if (!column || name.includes('/')) continue // "xi/...", "corrected/...": others fill those
      const width = widths[name] ?? 1
      if (column.length < rows * width) throw new ShapeError(`sample.${name}`, [column.length], [rows * width])
    }
  }
}
