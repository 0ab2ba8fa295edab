/** @file The learner among its robots: lets them in, takes in what they tell, and hands the newest weights to each. */
import { join } from 'node:path'
import { z } from 'zod'
import { encodeError, InputError, LostError } from '../errors.ts'
import { decodeMessage, encodeMessage } from '../link/codec.ts'
import { type ActorStanding, type FromLearner, hashOf, type ToLearner, weightsMessage } from '../link/messages.ts'
import type { LinkChannel } from '../link/nats/channel.ts'
import { type Admission, listen } from '../link/nats/listen.ts'
import type { Wire } from '../link/nats/wire.ts'
import type { Published } from '../link/ports.ts'
import type { Failure } from '../loop/failure.ts'
import { expectFittingRobot, type PolicyAbout } from '../policies/about.ts'
import { type ActorHello, readHello, type Welcome, welcomeBytes } from './greeting.ts'
import { Intake, type IntakeOptions } from './intake.ts'
import type { FleetPlaces } from './places.ts'
import type { KnownRobot } from './standings.ts'

const ALIVE = 5000 // ms since which another process under the same name was heard, and still counts
const LOOK_EVERY = 100 // ms between two looks at who could take newer weights
const JOURNALS = '.experience' // ending of a journal's name

export type ReceptionOptions = {
  run: string
  folder: string // of the journals
  places: FleetPlaces
  /** What all of them are told, and have to fit. */
  about: Pick<Welcome, 'config' | 'encoder' | 'normalisers' | 'firstEpisode'> & { robot: PolicyAbout['robot'] }
  /** Of one robot; but for its name. */
  intake: (robot: string) => Omit<IntakeOptions, 'origin' | 'numbers'>
  /** Of each number of the weights on their way; 32 where nobody says. */
  bits?: 16 | 32
  failure: Failure
  onTrouble: (line: string) => void
}

type Guest = { process: string; channel: LinkChannel; weights?: Published }

/** The last words of a robot that may have left. */
type LastWords = ActorStanding & { heardAt: number | null }

const NO_WORDS: LastWords = { does: 'waits', lag: null, fault: null, page: null, heardAt: null }

export class Reception {
  private readonly intakes = new Map<string, Intake>()
  private readonly guests = new Map<string, Guest>()
  private readonly lastWords = new Map<string, LastWords>()
  private newest: { published: Published; bytes: ArrayBuffer } | undefined
  private readonly looking: ReturnType<typeof setInterval>

  private constructor(private readonly options: ReceptionOptions) {
    this.looking = setInterval(() => this.handOut(), LOOK_EVERY)
  }

  /** Tells the learner what the journals hold; nobody is let in yet. @throws InputError where one is damaged */
  static async open(options: ReceptionOptions): Promise<Reception> {
    const reception = new Reception(options)
    for (const robot of options.places.known) await reception.intakeOf(robot)
    return reception
  }

  /** From now on robots are let in, until the returned function is called. @throws InputError if the run has a learner already */
  begin(wire: Wire): Promise<() => void> {
    return listen(wire, this.options.run, (robot, hello) => this.answer(robot, hello))
  }

  /** Robots that ever joined, by name. */
  get robots(): ReadonlyMap<string, Pick<Intake, 'steps' | 'episodes' | 'have' | 'policyVersion'>> {
    return this.intakes
  }

  /** How each of them is. */
  get known(): KnownRobot[] {
    return [...this.intakes].map(([robot, { steps, episodes, outcomes, policyVersion }]) => {
      const guest = this.guests.get(robot)
      const words = this.lastWords.get(robot)
      const heardAt = guest?.channel.heardAt ?? words?.heardAt ?? null
      const heard = heardAt === null ? null : (performance.now() - heardAt) / 1000
      const { does = null, lag = null, fault = null, page = null } = words ?? {}
      const here = guest !== undefined
      return { robot, steps, episodes, outcomes, policyVersion, heard, here, does, lag, fault, page }
    })
  }

  /** What all robots are to act with from now on. One that holds what is no number is not published: it is a failure. */
  publish(published: Published): boolean {
    const { failure } = this.options
    const spoilt = Object.entries(published.values).find(([, values]) => !values.every(Number.isFinite))
    if (spoilt) {
      const where = `weights of version ${published.version}`
      const remedy = 'Robots keep those before. Lower learner.learningRate'
      failure.fail(new InputError(where, `hold what is no number, in ${spoilt[0]}`, remedy))
      return false
    }
    const hashed = { ...published, hash: published.hash ?? hashOf(published.values) }
    this.newest = { published: hashed, bytes: weightsMessage(hashed, this.options.bits) }
    this.handOut()
    return true
  }

  async close(): Promise<void> {
    clearInterval(this.looking)
    for (const intake of this.intakes.values()) await intake.close()
  }

  private async intakeOf(robot: string): Promise<Intake> {
    const known = this.intakes.get(robot)
    if (known) return known
    const { run, folder, intake, places, about } = this.options
    const numbers = { place: places.of(robot), first: about.firstEpisode }
    const path = join(folder, `${robot}${JOURNALS}`)
    const opened = await Intake.open(path, { ...intake(robot), origin: { run, robot }, numbers })
    this.intakes.set(robot, opened)
    return opened
  }

  private answer(robot: string, bytes: Uint8Array): Admission {
    const { about, places, run } = this.options
    const hello = readHello(robot, bytes)
    this.expectAlone(robot, hello)
    if (hello.robot && hello.encoder) this.expectFitting(robot, hello.robot, hello.encoder)
    const { config, encoder, normalisers, firstEpisode } = about
    const place = places.of(robot)
    const have = this.intakes.get(robot)?.have ?? null
    const welcome = welcomeBytes({ id: places.run, config, encoder, normalisers, firstEpisode, place, have })
    const opened = (channel: LinkChannel) => {
      if (!hello.robot) return
      const guest: Guest = { process: hello.process, channel }
      this.guests.set(robot, guest)
      void this.serve(robot, guest)
    }
    const onLost = () => {
      const guest = this.guests.get(robot)
      if (guest?.process === hello.process) this.forget(robot, guest)
      this.options.onTrouble(`Robot ${robot} has left run ${run}.`)
    }
    return { welcome, opened, onLost: hello.robot ? onLost : undefined }
  }

  /** A process that was killed is forgotten soon; one that lives is not pushed out. */
  private expectAlone(robot: string, { process, host }: ActorHello): void {
    const guest = this.guests.get(robot)
    if (!guest || guest.process === process || performance.now() - guest.channel.heardAt > ALIVE) return
    throw new LostError(
      `robot "${robot}"`,
      `acts in another process already, this one is on ${host}`,
      'Stop one of them',
    )
  }

  private expectFitting(
    robot: string,
    theirs: PolicyAbout['robot'],
    encoder: NonNullable<ActorHello['encoder']>,
  ): void {
    const { about, run } = this.options
    expectFittingRobot(`policy of run "${run}"`, about, theirs)
    if (encoder.hash === about.encoder.hash) return
    const what = `sees with encoder ${encoder.name} ${encoder.hash.slice(0, 12)}, run "${run}" with ${about.encoder.name} ${about.encoder.hash.slice(0, 12)}`
    throw new InputError(`robot "${robot}"`, what, 'Give it the weights of the run')
  }

  /** Takes in what a robot tells, as long as it is there; what it is told of as taken is on disk. */
  private async serve(robot: string, guest: Guest): Promise<void> {
    const { channel } = guest
    const { failure, onTrouble } = this.options
    const waiting: ArrayBuffer[] = []
    const send = (head: FromLearner) => channel.postMessage(encodeMessage({ head, arrays: [] }))
    let wake = () => {}
    channel.on('message', (message) => {
      waiting.push(message)
      wake()
    })
    try {
      const intake = await this.intakeOf(robot)
      send({ kind: 'ready' })
      this.handOut()
      let taken = 0
      const isHere = () => this.guests.get(robot) === guest
      while (!failure.failed && (isHere() || waiting.length > 0)) {
        if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
        for (const bytes of waiting.splice(0)) {
          const { head } = decodeMessage<ToLearner>(bytes)
          if (isStanding(head)) {
            this.lastWords.set(robot, { ...readStanding(robot, head.standing), heardAt: performance.now() })
            continue // the last words of one that has left among them
          }
          if (!isHere()) return // it has begun another session
          if (isRequest(head)) return this.dismiss(robot, guest)
          await intake.take(bytes)
          taken++
        }
        await intake.kept()
        send({ kind: 'taken', messages: taken })
      }
    } catch (error) {
      if (failure.failed) return
      if (error instanceof LostError) return failure.fail(error) // its own disk, or its learner
      onTrouble(`Robot ${robot} is not heard any further: ${(error as Error).message}`)
      send({ kind: 'failed', error: encodeError(error) })
      this.dismiss(robot, guest)
    }
  }

  private dismiss(robot: string, guest: Guest): void {
    guest.channel.close()
    this.forget(robot, guest)
  }

  private forget(robot: string, guest: Guest): void {
    if (this.guests.get(robot) !== guest) return
    this.guests.delete(robot)
    this.lastWords.set(robot, { ...(this.lastWords.get(robot) ?? NO_WORDS), heardAt: guest.channel.heardAt })
  }

  /** The newest weights to whoever has not got them, and has taken what was sent before: nobody catches up on older ones. */
  private handOut(): void {
    const { newest } = this
    if (!newest) return
    for (const guest of this.guests.values()) {
      if (guest.weights === newest.published || guest.channel.backlog > 0) continue
      guest.weights = newest.published
      guest.channel.postMessage(newest.bytes)
    }
  }
}

/** A robot asks for one thing only: to be let go. @throws InputError for any other request */
function isRequest(head: ToLearner | null): boolean {
  if (head?.kind !== 'request') return false
  if (head.request?.want === 'stop') return true
  throw new InputError(
    'request of an actor',
    `wants to ${head.request?.want}`,
    'Only who began the run says what its learner does',
  )
}

type StandingHead = Extract<ToLearner, { kind: 'standing' }>

const isStanding = (head: ToLearner | null): head is StandingHead => head?.kind === 'standing'

const Standing = z.object({
  does: z.enum(['acts', 'waits', 'is held', 'is done']),
  lag: z.number().min(0).nullable(),
  fault: z.string().max(2000).nullable(),
  page: z
    .url({ protocol: /^https?$/ })
    .max(300)
    .nullable(),
})

function readStanding(robot: string, told: unknown): ActorStanding {
  const parsed = Standing.safeParse(told)
  if (parsed.success) return parsed.data
  throw new InputError(
    `message of robot ${robot}`,
    'does not say how it is in words of this version',
    'Run the same version of Duet at both ends',
  )
}
