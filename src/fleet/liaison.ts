/**
 * @file How an actor stands with the learner: looks for it, tells it what happens while it hears, and keeps what it
 * published last. Neither broker nor learner has to be there: what they missed stands in the actor's log, and is told from
 * there before the next episode.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError, LostError } from '../errors.ts'
import { LinkClient } from '../link/client.ts'
import { encodeMessage } from '../link/codec.ts'
import type { ActorStanding, ToLearner } from '../link/messages.ts'
import type { LinkChannel } from '../link/nats/channel.ts'
import { dial } from '../link/nats/dial.ts'
import type { Wire } from '../link/nats/wire.ts'
import type { Experience, Published } from '../link/ports.ts'
import type { PolicyAbout } from '../policies/about.ts'
import { helloOf, readWelcome, type Welcome } from './greeting.ts'
import type { Cursor } from './intake.ts'

const AGAIN = 1000 // ms until a learner that refused or was lost is asked again
const PATIENCE = 10_000 // ms without an acknowledgement after which it is not waited for
const ROOM = 256 // messages in flight while an old episode is told
const TELLING = 3000 // ms between two episodes after which the robot goes on, and the rest is told before the next one
const KEPT_EVERY = 200 // ms between two words on what the learner has
const STANDING_EVERY = 1000 // ms between two words to the learner on how the robot is
const LEAVING = 5000 // ms for what is in flight when the actor ends

/** Whoever hears of episodes. */
export type Told = Pick<Experience, 'begin' | 'step' | 'end' | 'room'>

export type LiaisonOptions = {
  wire: Promise<Wire> // it may come late
  run: string
  robot: string
  /** Messages that may be in flight; beyond it nothing more is told, and all of it later, from the log. */
  most: number
  /** ms for which a robot may stand between two episodes while the learner is told what it missed. */
  telling?: number
  /** How the robot is, for the learner. */
  standing: () => Omit<ActorStanding, 'lag'>
  onSaid: (line: string) => void
  /** Before anything else is heard of the learner. Where it throws an InputError, this learner is not joined. */
  onWelcome: (welcome: Welcome) => void
  onWeights: (published: Published) => void
  /** The learner has everything up to here on its disk. */
  onKept: (kept: Pick<Cursor, 'episode' | 'steps'>) => void
  /** It will never be let in like this. */
  onRefused: (error: InputError) => void
}

type Mark = Pick<Cursor, 'episode' | 'steps'>

/** A learner that hears. */
type Standing = {
  link: LinkClient
  channel: LinkChannel
  have: Cursor | null // what it had when it was found
  live: boolean // it has everything before the episode that goes on
  newest: Mark | undefined // what was told last
  waiting: (Mark & { at?: number })[] // what the messages in flight tell of; `at`: when it happened, where it was told at once
  kept: Mark | undefined // acknowledged, and not said yet
}

/** Tells this process from another that has the same key. */
const OURSELVES = randomUUID()

/** Asks the learner what its run is, until it answers. @throws what it refuses this robot with, or the reason of `signal` */
export async function askForRun(
  wire: Wire,
  whose: { run: string; robot: string },
  signal: AbortSignal,
): Promise<Welcome> {
  const { channel, welcome } = await dial(wire, whose, helloOf({ host: hostname(), process: OURSELVES }), { signal })
  channel.close()
  return readWelcome(`the learner of run "${whose.run}"`, welcome)
}

/** A session that cannot be begun is left. */
function welcomed<T>(channel: LinkChannel, hear: () => T): T {
  try {
    return hear()
  } catch (error) {
    channel.close()
    throw error
  }
}

export class Liaison {
  private standing: Standing | undefined
  private lag: number | null = null // s
  private whole = false // the learner that was there last had everything, and nothing has happened since
  private readonly leaving = new AbortController()
  private readonly looking: Promise<void>

  constructor(
    private readonly options: LiaisonOptions,
    private readonly fits: { robot: PolicyAbout['robot']; encoder: { name: string; hash: string } },
  ) {
    this.looking = this.look()
  }

  /** What happens as it happens, to whoever hears; an episode is told from its first step on, or later as a whole. */
  readonly experience: Pick<Experience, 'begin' | 'step' | 'end'> = {
    begin: (start, observation) => this.live((told) => told.begin(start, observation)),
    step: (episode, step, next) => this.live((told) => told.step(episode, step, next)),
    end: (episode, end) => this.live((told) => told.end(episode, end)),
  }

  /** Whether the learner has everything on its disk. */
  get toldAll(): boolean {
    return this.standing ? this.hasAll(this.standing) : this.whole
  }

  private hasAll(standing: Standing): boolean {
    return standing.live && this.inFlight(standing) === 0
  }

  private inFlight({ link }: Standing): number {
    return link.experience(this.options.robot).inFlight
  }

  /**
   * Tells what the learner has not got, between two episodes, so that the next one may be told as it happens. The robot
   * stands meanwhile: much is told in several parts, an episode at least before each of the robot's own. A learner that
   * answers too slowly is not waited for: it is tried again before the next episode.
   * `missing`: the episodes behind what it has, and what tells one.
   */
  async catchUp(missing: (have: Cursor | null) => AsyncIterable<(told: Told) => Promise<void>>): Promise<void> {
    const standing = this.standing
    if (!standing || standing.live) return
    const until = performance.now() + (this.options.telling ?? TELLING)
    let parts = 0
    try {
      const told = this.marked(standing, false)
      for await (const tell of missing(standing.have)) {
        if (!(await this.roomIn(standing)) || (parts++ > 0 && performance.now() > until)) return
        await tell(told)
        standing.have = { ...standing.newest!, closed: true }
      }
      standing.live = this.standing === standing
    } catch (error) {
      this.drop(standing, `is not told any more: ${(error as Error).message}`)
    }
  }

  /** Waits a little for what is in flight; what does not arrive is told by the next process. */
  async close(): Promise<void> {
    this.leaving.abort(new Error('the actor ends'))
    const { standing } = this
    if (standing) {
      const arrived = standing.link
        .experience(this.options.robot)
        .room(0)
        .catch(() => {})
      await Promise.race([arrived, sleep(LEAVING)])
      this.sayKept(standing)
      this.sayStanding(standing)
      this.standing = undefined
      await standing.link.close()
      standing.channel.close()
    }
    await this.looking
  }

  /** Looks for the learner as long as the actor lives. */
  private async look(): Promise<void> {
    const { run, robot, onRefused, onSaid, onWelcome } = this.options
    const { signal } = this.leaving
    let said = ''
    while (!signal.aborted) {
      let lose = () => {}
      const lost = new Promise<void>((resolve) => (lose = resolve))
      signal.addEventListener('abort', lose, { once: true })
      try {
        let standing: Standing | undefined
        const onLost = (error: Error) => standing?.link.lose(error)
        const hello = helloOf({ host: hostname(), process: OURSELVES, ...this.fits })
        const { channel, welcome: bytes } = await dial(await this.wire(), { run, robot }, hello, {
          signal,
          onLost,
        })
        const welcome = welcomed(channel, () => {
          const said = readWelcome(`the learner of run "${run}"`, bytes)
          onWelcome(said)
          return said
        })
        const link = new LinkClient(channel, run, async () => {}, {
          onWeights: (published) => this.options.onWeights(published),
          onTaken: () => standing && this.settle(standing),
          onLost: (error) => {
            if (standing) this.drop(standing, `is lost: ${error.message}`)
            lose()
          },
        })
        standing = { link, channel, have: welcome.have, live: false, newest: undefined, waiting: [], kept: undefined }
        this.standing = standing
        if (channel.ended) link.lose(new LostError('the learner', 'left at once', 'It is looked for again'))
        onSaid(`The learner of run ${run} is there.`)
        said = ''
        await this.follow(standing, lost)
      } catch (error) {
        if (signal.aborted) break
        if (error instanceof InputError) return onRefused(error)
        const { message } = error as Error
        if (message !== said) onSaid(message)
        said = message
      } finally {
        signal.removeEventListener('abort', lose)
      }
      await sleep(AGAIN, undefined, { signal }).catch(() => {})
    }
  }

  /** The wire, unless the actor ends before there is one. */
  private wire(): Promise<Wire> {
    const { signal } = this.leaving
    const ended = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    )
    return Promise.race([this.options.wire, ended])
  }

  /** Sees what has been acknowledged, until the learner is lost. */
  private async follow(standing: Standing, lost: Promise<void>): Promise<void> {
    const keeping = setInterval(() => this.sayKept(standing), KEPT_EVERY)
    const saying = setInterval(() => this.sayStanding(standing), STANDING_EVERY)
    this.sayStanding(standing)
    await lost
    clearInterval(keeping)
    clearInterval(saying)
    this.sayKept(standing)
  }

  private sayStanding({ channel }: Standing): void {
    const head: ToLearner = { kind: 'standing', standing: { ...this.options.standing(), lag: this.lag } }
    channel.postMessage(encodeMessage({ head, arrays: [] }))
  }

  private sayKept(standing: Standing): void {
    this.settle(standing)
    const { kept } = standing
    standing.kept = undefined
    if (kept) this.options.onKept(kept)
  }

  private settle(standing: Standing): void {
    const inFlight = this.inFlight(standing)
    while (standing.waiting.length > inFlight) {
      const { at, ...mark } = standing.waiting.shift()!
      standing.kept = mark
      if (at !== undefined) this.lag = (performance.now() - at) / 1000
    }
  }

  private drop(standing: Standing, why: string): void {
    if (this.standing !== standing) return
    this.standing = undefined
    this.whole = this.hasAll(standing)
    standing.channel.abandon()
    this.options.onSaid(`The learner of run ${this.options.run} ${why}`)
  }

  private live(tell: (told: Told) => void): void {
    const { standing } = this
    if (!standing?.live) {
      this.whole = false
      return
    }
    if (this.inFlight(standing) >= this.options.most) {
      this.drop(standing, 'is behind; the log keeps what it misses.')
      return
    }
    try {
      tell(this.marked(standing, true))
    } catch (error) {
      this.drop(standing, `is lost: ${(error as Error).message}`)
    }
  }

  /** The learner's experience, and beside it of which step each message is. */
  private marked(standing: Standing, atOnce: boolean): Told {
    const own = standing.link.experience(this.options.robot)
    const mark = (episode: number, steps: number) => {
      standing.newest = { episode, steps }
      standing.waiting.push(atOnce ? { ...standing.newest, at: performance.now() } : standing.newest)
    }
    return {
      begin: (start, observation) => {
        own.begin(start, observation)
        mark(start.episode, 0)
      },
      step: (episode, step, next) => {
        own.step(episode, step, next)
        mark(episode, step.step + 1)
      },
      end: (episode, end) => {
        own.end(episode, end)
        mark(episode, standing.newest?.steps ?? 0)
      },
      room: (most) => own.room(most),
    }
  }

  /** False where the learner does not take in what it was told, for too long. */
  private async roomIn(standing: Standing): Promise<boolean> {
    const own = standing.link.experience(this.options.robot)
    while (own.inFlight > ROOM) {
      const before = own.inFlight
      await Promise.race([own.room(ROOM), sleep(PATIENCE)])
      if (own.inFlight >= before) return false
    }
    return true
  }
}
