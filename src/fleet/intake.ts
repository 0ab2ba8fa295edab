/**
 * @file What the learner takes in of one robot: each thing once, in order and whole, on disk before it counts. What is told
 * again, after whatever outage, is known by its episode and step.
 */
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { decodeMessage, encodeMessage, type Message } from '../link/codec.ts'
import { firstObservation, type Origin, stepOf, type ToLearner, type ToldHead } from '../link/messages.ts'
import type { Experience } from '../link/ports.ts'
import type { CellIndex } from '../loop/online-recorder.ts'
import { EpisodeAssembler } from '../replay/assembler.ts'
import { ENDINGS } from '../replay/episode.ts'
import type { StoreShape } from '../replay/episode-store.ts'
import { ACTORS, JUDGES } from '../replay/transition.ts'
import { ExperienceJournal } from './journal.ts'
import { SUCCESS_WINDOW } from './standings.ts'
import { EpisodeTally, type Tallied } from './tally.ts'

const IN_FLIGHT = 256 // messages that the learner's thread has not taken in

/** How far a robot has been heard; JSON-safe. */
export const Cursor = z.strictObject({ episode: z.int().min(0), steps: z.int().min(0), closed: z.boolean() })
export type Cursor = z.infer<typeof Cursor>

const from = z.object({ run: z.string(), robot: z.string() })
const count = z.int().min(0)

/** What the codec's heads have to be; what else they may hold is nobody's business here. */
const Told = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('begin'),
    from,
    start: z.object({ episode: count, task: z.string(), source: z.literal('online'), seed: z.number().nullable() }),
  }),
  z.object({
    kind: z.literal('step'),
    from,
    episode: count,
    step: z.object({
      id: z.number(),
      step: count,
      reward: z.number().nullable(),
      terminated: z.boolean(),
      truncated: z.boolean(),
      by: z.enum(JUDGES),
      confidence: z.number().optional(),
      actor: z.enum(ACTORS),
      command: z.string().nullable(),
      policyVersion: count.optional(),
    }),
  }),
  z.object({
    kind: z.literal('end'),
    from,
    episode: count,
    end: z.object({
      ending: z.enum(ENDINGS),
      verdict: z.object({ reward: z.number(), terminated: z.boolean() }).optional(),
      why: z.string().optional(),
    }),
  }),
])

export type IntakeOptions = {
  origin: Origin
  shape: StoreShape
  tasks: readonly string[]
  /** Which numbers its episodes may have: another's would end the learner. */
  numbers?: { place: CellIndex; first: number }
  /** The learner's thread. */
  experience: Pick<Experience, 'begin' | 'step' | 'end' | 'room'>
  /** Of each episode that has ended, those of the journal among them. */
  onEpisode?: (episode: Tallied) => void
}

export class Intake {
  /** How far it has heard; null before the first episode. */
  have: Cursor | null = null
  steps = 0
  episodes = 0
  /** Of the policy that planned the newest step. */
  policyVersion: number | undefined
  /** Whether the last episodes succeeded, the oldest first. */
  readonly outcomes: boolean[] = []
  private readonly assembler: EpisodeAssembler // looks at everything before the learner does
  private tally: EpisodeTally | undefined
  private journal: ExperienceJournal | undefined
  private before: Promise<unknown> = Promise.resolve() // a session that broke may still have one in hand when the next one tells

  private constructor(private readonly options: IntakeOptions) {
    this.assembler = new EpisodeAssembler(options.shape)
  }

  /** Tells the learner all that the journal holds. @throws InputError as `ExperienceJournal.open`, or where it does not fit the run */
  static async open(path: string, options: IntakeOptions): Promise<Intake> {
    const intake = new Intake(options)
    intake.journal = await ExperienceJournal.open(
      path,
      options.origin,
      async (message) => void (await intake.take(message)),
    )
    return intake
  }

  /**
   * False for what is known. It is on its way to the disk and to the learner when this resolves.
   * @throws InputError or ShapeError on what cannot be learned from; LostError where the disk refuses it
   */
  take(bytes: ArrayBuffer): Promise<boolean> {
    const taken = this.before.then(() => this.takeNow(bytes))
    this.before = taken.catch(() => {}) // whoever told it hears of it
    return taken
  }

  private async takeNow(bytes: ArrayBuffer): Promise<boolean> {
    const message = decodeMessage<ToLearner>(bytes)
    const head = this.expectTold(message.head)
    if (this.isKnown(head)) return false
    this.check(head, message)
    if (head.kind === 'begin' && this.have && !this.have.closed) await this.give(this.have.episode)
    this.journal?.append(bytes)
    await this.hand(head, message)
    return true
  }

  /** Resolves when the disk has all that was taken. */
  kept(): Promise<void> {
    return this.journal!.kept()
  }

  close(): Promise<void> {
    return this.journal!.close()
  }

  private expectTold(head: unknown): ToldHead {
    const { run, robot } = this.options.origin
    const parsed = Told.safeParse(head)
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      const what = `has a head whose ${issue!.path.join('.') || 'kind'} is wrong: ${issue!.message}`
      throw new InputError(`message of robot ${robot}`, what, 'Run the same version of Duet at both ends')
    }
    const { from } = parsed.data
    if (from.run !== run || from.robot !== robot)
      throw new InputError(
        `message of robot ${robot}`,
        `says that it is of robot "${from.robot}" of run "${from.run}"`,
        `This learner serves run "${run}"; a robot tells of itself alone`,
      )
    return head as ToldHead
  }

  private isKnown(head: ToldHead): boolean {
    const { have } = this
    const episode = head.kind === 'begin' ? head.start.episode : head.episode
    if (!have || episode > have.episode) return false
    if (episode < have.episode || have.closed || head.kind === 'begin') return true
    return head.kind === 'step' && head.step.step < have.steps
  }

  /** The robot went on to another episode, and has lost the end of this one. */
  private async give(episode: number): Promise<void> {
    const end = { ending: 'interrupted', why: 'its robot went on without an end' } as const
    await this.takeNow(
      encodeMessage<ToLearner>({ head: { kind: 'end', from: this.options.origin, episode, end }, arrays: [] }),
    )
  }

  private check(head: ToldHead, message: Message<unknown>): void {
    const { tasks, origin } = this.options
    if (head.kind === 'begin') this.expectOwnNumber(head.start.episode)
    if (head.kind === 'end') this.assembler.end(head.episode, head.end)
    else if (head.kind === 'step') {
      const { step, next } = stepOf(message, head.step)
      this.assembler.step(head.episode, step, next)
    } else if (tasks.includes(head.start.task)) this.assembler.begin(head.start, firstObservation(message))
    else {
      const where = `episode ${head.start.episode} of robot ${origin.robot}`
      throw new InputError(where, `is of task "${head.start.task}"`, `This run has: ${tasks.join(', ')}`)
    }
  }

  private expectOwnNumber(episode: number): void {
    const { numbers, origin } = this.options
    if (!numbers) return
    const { first, place } = numbers
    if (episode >= first && episode % place.of === place.index) return
    throw new InputError(
      `episode ${episode} of robot ${origin.robot}`,
      'has a number that is another\u2019s',
      `Its own are from ${first} on, ${place.index} beyond a multiple of ${place.of}`,
    )
  }

  private async hand(head: ToldHead, message: Message<unknown>): Promise<void> {
    const { experience, onEpisode } = this.options
    if (head.kind === 'begin') {
      this.have = { episode: head.start.episode, steps: 0, closed: false }
      this.tally = new EpisodeTally(head.start)
      experience.begin(head.start, firstObservation(message))
    } else if (head.kind === 'step') {
      const { step, next } = stepOf(message, head.step)
      this.have!.steps++
      this.steps++
      this.policyVersion = step.policyVersion
      this.tally!.step(step)
      experience.step(head.episode, step, next)
    } else {
      this.have!.closed = true
      this.episodes++
      experience.end(head.episode, head.end)
      const tallied = this.tally!.ended(head.end)
      if (tallied.length > 0 && !tallied.aborted) this.outcomes.push(tallied.success)
      if (this.outcomes.length > SUCCESS_WINDOW) this.outcomes.shift()
      onEpisode?.(tallied)
    }
    await experience.room(IN_FLIGHT)
  }
}
