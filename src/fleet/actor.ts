/**
 * @file One robot of a fleet: acts with the newest policy that it has, and keeps its own log, which is the truth until the
 * learner has it. It needs broker and learner once, to know what it is part of; from then on it goes on without them.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { actorSizes } from '../learn/actors.ts'
import { Normaliser } from '../learn/normaliser.ts'
import { Policy } from '../learn/policy.ts'
import type { ActorStanding } from '../link/messages.ts'
import { connectBroker } from '../link/nats/connect.ts'
import type { Attendance } from '../loop/attendant.ts'
import { explorationNotices } from '../loop/exploration.ts'
import { Course, Stopped } from '../loop/failure.ts'
import { OnlineRecorder } from '../loop/online-recorder.ts'
import { type Copies, Perception } from '../loop/perception.ts'
import { holding, Practice, type Practised } from '../loop/practice.ts'
import { Turns } from '../loop/turns.ts'
import { aboutRobot } from '../policies/about.ts'
import { EpisodeIndex, readIndexed } from '../replay/episode-index.ts'
import { EpisodeLog } from '../replay/log.ts'
import { describeFault } from '../robot/fault.ts'
import { Closing } from '../run/closing.ts'
import type { RunConfig } from '../run/config.ts'
import { differences, flatSettings } from '../run/differences.ts'
import { episodeMetric } from '../run/episode-metric.ts'
import { RunFolder } from '../run/folder.ts'
import { partNow, type RunPart } from '../run/history.ts'
import { lock } from '../run/lock.ts'
import { encodeEpisode, tellEpisode } from '../run/preparation.ts'
import { mergeSettings, parseConfig } from '../run/resolve.ts'
import { openSession, type Session } from '../run/session.ts'
import { simulatedOperator } from '../run/simulated-operator.ts'
import { expectReady, type TrainEvents } from '../run/train.ts'
import { expectSameRun, lengthOf, readWelcome, type Welcome, welcomeBytes } from './greeting.ts'
import type { Cursor } from './intake.ts'
import type { Invitation } from './invitation.ts'
import { askForRun, Liaison, type Told } from './liaison.ts'
import { goesOnFrom } from './places.ts'
import { WeightsFeed } from './weights-feed.ts'

const MEMORY = 64 << 20 // bytes of what is in flight; beyond it the log alone keeps what is to be told
const MOST = 5000 // messages of it
const LOOK_EVERY = 200 // ms between two looks for the first weights

/** What an actor may have of its own; all else is the run's. */
const OWN = ['robot', 'operator', 'device', 'vlaPath', 'resnetPath', 'online.pace']

export type ActorEvents = Pick<TrainEvents, 'onNotice' | 'stop' | 'failure' | 'observer'> & {
  onEpisode?: (episode: Practised & { policyVersion: number }) => void
  /** Where the observer's page is, for those who look at the whole fleet. */
  page?: string | null
  /** The learner has this robot's steps up to here on its disk. */
  onKept?: (kept: Pick<Cursor, 'episode' | 'steps'>) => void
}

export type ActorPlace = {
  folder: string // this robot's own, of which it has one a run
  own?: unknown // settings in which it differs from the run's
}

/**
 * Acts until it has practised for as long as the run's settings say, or until it is stopped.
 * @throws InputError where it does not fit the run, or its robot cannot go on
 */
export async function runActor(invitation: Invitation, place: ActorPlace, events: ActorEvents = {}): Promise<void> {
  expectOwn(place.own)
  const { observer } = events
  const course = new Course(events.failure, events.stop)
  const closing = new Closing()
  course.failure.onFailure((error) => observer?.closed({ error }))
  try {
    await actIn(place, invitation, events, course, closing)
    await closing.close()
  } catch (error) {
    if (!course.stopping) course.failure.fail(error)
    await closing.close().catch(() => {}) // it follows from the failure
  }
  course.failure.check()
  observer?.closed({ summary: null }) // also where it was asked to stop
}

/** @throws InputError for a setting that all robots of a run share */
function expectOwn(own: unknown): void {
  const strange = Object.keys(flatSettings(own ?? {})).find(
    (name) => !OWN.some((one) => `${name}.`.startsWith(`${one}.`)),
  )
  if (strange === undefined) return
  throw new InputError(
    `setting "${strange}"`,
    'is the run\u2019s, not one robot\u2019s',
    `An actor may have its own: ${OWN.join(', ')}`,
  )
}

async function actIn(
  { folder: path, own }: ActorPlace,
  { run, robot: name, url, seed, ca }: Invitation,
  events: ActorEvents,
  course: Course,
  closing: Closing,
): Promise<void> {
  const { onNotice = () => undefined, observer, page = null } = events
  const leaving = new AbortController()
  course.onStop(() => leaving.abort(new Stopped('the actor was asked to stop')))
  course.failure.onFailure((error) => leaving.abort(error))
  const { signal } = leaving
  const connecting = connectBroker({ url, seed, ca }, `robot ${name} of ${run}`, { onTrouble: onNotice, signal })
  connecting.catch(() => {}) // heard by whoever waits for it
  closing.add(async () => {
    leaving.abort()
    await (await connecting.catch(() => undefined))?.close()
  })
  const known = readKnown(path)
  const welcome = known ?? (await askForRun(await connecting, { run, robot: name }, signal))
  const folder = homeOf(path, welcome, own)
  closing.add(lock(folder.path))
  folder.sweep()
  keepWelcome(folder, welcome)
  const { config, changed } = settingsOf(folder, own)
  const session = await course.during(openSession(config))
  closing.add(() => session.close())
  course.failure.stops(session.rigs.map(({ robot }) => robot))
  expectReady(session, observer !== undefined)
  if (changed.length > 0) folder.goOn(config, partNow({ changed })) // a start that fails leaves them as they were
  session.robot.supervisedBy([]) // it goes on without a learner
  observer?.opened({ folder, config, session })
  for (const line of explorationNotices(session.rigs, { practice: config.online.exploration.after })) onNotice(line)
  const isFirst = known === undefined
  const actor = await Actor.open(folder, config, session, welcome, isFirst, course, closing, events)
  const liaison = new Liaison(
    {
      wire: connecting,
      run,
      robot: name,
      most: actor.most,
      standing: () => ({ does: actor.does, fault: faultOf(session, course), page }),
      onSaid: onNotice,
      onWelcome(said) {
        expectSameRun(folder.path, readKnown(folder.path) ?? welcome, said)
        actor.minutes = lengthOf(said) ?? actor.minutes
        try {
          keepWelcome(folder, said)
        } catch (error) {
          onNotice((error as Error).message) // it says the same as the one that is there
        }
      },
      onWeights: (published) => actor.feed.publish(published),
      onKept: (kept) => events.onKept?.(kept),
      onRefused: (error) => course.failure.fail(error),
    },
    {
      robot: aboutRobot(session.robot.spec, session.encoder.description.cameras),
      encoder: session.encoder.description,
    },
  )
  closing.add(() => liaison.close())
  await actor.act(liaison, events)
}

const WELCOME = 'welcome.json'

/** What the learner said when it was there last. */
function readKnown(path: string): Welcome | undefined {
  const file = join(path, WELCOME)
  return existsSync(file) ? readWelcome(file, readFileSync(file)) : undefined
}

const keepWelcome = (folder: RunFolder, welcome: Welcome) =>
  writeWhole(join(folder.path, WELCOME), welcomeBytes(welcome))

/** Made where it is missing. @throws InputError where nobody says which of the run's cells this robot is */
function homeOf(path: string, welcome: Welcome, own: unknown): RunFolder {
  if (existsSync(new RunFolder(path).config)) return RunFolder.open(path).folder
  const config = parseConfig('settings of the run', mergeSettings(welcome.config, own))
  const { cells } = config.robot
  if (cells.length === 1) return RunFolder.create(path, config)
  throw new InputError(
    'duet actor',
    `could be any of the cells ${cells.join(', ')} of the run`,
    'Say which with --cell',
  )
}

/** As the folder has them, and what is given to this start on top: a cable may be in another socket by now. */
function settingsOf(
  { path }: RunFolder,
  own: unknown,
): { config: RunConfig; changed: NonNullable<RunPart['changed']> } {
  const { config: before } = RunFolder.open(path)
  const config = parseConfig('settings of the robot', mergeSettings(before, own))
  const changed = differences(before, config).map(({ name, first, second }) => ({ name, from: first, to: second }))
  return { config, changed }
}

/** Why nothing moves it any more, if that is so. */
function faultOf({ robot }: Session, { failure }: Course): string | null {
  if (robot.fault) return describeFault(robot.fault)
  try {
    failure.check()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

class Actor {
  private state: Exclude<ActorStanding['does'], 'is held'> = 'waits'
  private readonly since = performance.now()
  private waits = 0 // of a person at the console

  private constructor(
    readonly feed: WeightsFeed,
    /** Messages that may be in flight. */
    readonly most: number,
    private readonly config: RunConfig,
    private readonly session: Session,
    private readonly perception: Perception,
    private readonly policy: Policy,
    private readonly log: EpisodeLog,
    private readonly place: Welcome['place'],
    private readonly course: Course,
    private readonly index: EpisodeIndex, // of its own log
    private readonly steps: number, // made before
    private readonly observer: ActorEvents['observer'],
  ) {}

  /** Robot minutes that the run is to have, as the learner says now. */
  minutes = 0

  /** For whoever looks on. */
  get does(): ActorStanding['does'] {
    return this.waits > 0 ? 'is held' : this.state
  }

  /** Whoever looks on, by whom it is known that the robot is held. */
  private get attendance(): Attendance | undefined {
    const { observer } = this
    return (
      observer && {
        speed: (own) => observer.speed(own),
        operator: (cell, own) => observer.operator(cell, own),
        attend: (setting) => holding(observer.attend(setting), (wait) => this.held(wait)),
      }
    )
  }

  private async held<T>(wait: Promise<T>): Promise<T> {
    this.waits++
    try {
      return await wait
    } finally {
      this.waits--
    }
  }

  static async open(
    folder: RunFolder,
    config: RunConfig,
    session: Session,
    welcome: Welcome,
    isFirst: boolean,
    course: Course,
    closing: Closing,
    { observer, onNotice }: Pick<ActorEvents, 'observer' | 'onNotice'>,
  ): Promise<Actor> {
    const { encoder, robot, commands, instructions } = session
    const { place, normalisers } = welcome
    const { h, proprio } = normalisers
    const perception = new Perception(encoder, instructions, { h: new Normaliser(h), proprio: new Normaliser(proprio) })
    const sizes = actorSizes(config.networks, encoder.description, robot.spec.channels.length, commands.width)
    const policy = await Policy.create(sizes, commands, config.method)
    closing.add(() => policy.release())
    const feed = new WeightsFeed(policy, join(folder.path, 'weights.bin'), onNotice)
    closing.add(() => feed.keep())
    const log = EpisodeLog.open(folder.log, robot.spec, { plans: true, policyVersions: true })
    closing.add(() => log.close())
    log.nextEpisode = goesOnFrom(log.nextEpisode, welcome, isFirst)
    const index = new EpisodeIndex(folder.log)
    const steps = (await index.look()).reduce((sum, { length }) => sum + length, 0)
    const features = encoder.description.featureShape.reduce(
      (product, size) => product * size,
      1 + config.replay.shiftedCopies,
    )
    const bytes = 4 * (sizes.embedding + sizes.proprio + features)
    const most = Math.min(MOST, Math.ceil(MEMORY / bytes))
    const minutes = lengthOf(welcome) ?? config.online.robotMinutes
    const actor = new Actor(feed, most, config, session, perception, policy, log, place, course, index, steps, observer)
    actor.minutes = minutes
    return actor
  }

  async act(liaison: Liaison, { onNotice, onEpisode }: ActorEvents): Promise<void> {
    const { course, feed, session, config, perception, policy, place, observer } = this
    const { failure } = course
    const rig = session.rigs[0]!
    if (!feed.ready) onNotice?.('Waiting for the learner\u2019s weights; the robot holds.')
    while (!feed.ready && !course.stopping) await failure.during(sleep(LOOK_EVERY))
    feed.takeUp()
    this.state = 'acts'
    observer?.started({ past: [], followsCommands: policy.followsCommands })
    const tempo = { step: async () => feed.takeUp() }
    const recorder = new OnlineRecorder(this.log, liaison.experience, this.copies, tempo, place, this.steps)
    const operator = simulatedOperator(config, rig, place, policy.followsCommands ? session.translator : undefined)
    const turns = new Turns()
    const shared = { perception, policy, policyVersion: () => feed.version, turns, course }
    const practice = new Practice(rig, recorder, operator, shared, config, this.attendance)
    const isDone = () => recorder.robotSteps >= Math.round(this.minutes * 60 * rig.robot.spec.rate)
    const catchUp = () => failure.during(liaison.catchUp((have) => this.missing(have)))
    await turns.take()
    for (let said = false; !course.stopping; ) {
      await catchUp()
      failure.check()
      this.state = isDone() ? 'is done' : 'acts'
      if (this.state === 'is done') {
        if (liaison.toldAll) break
        if (!said) onNotice?.('The robot is done; its learner has yet to take in the rest.')
        said = true
        await failure.during(sleep(LOOK_EVERY))
        continue
      }
      const practised = await practice.episode()
      if (practised.length === 0) continue // a person ended it before it began
      const { robotSteps } = recorder
      observer?.metric(episodeMetric(practised, { time: this.seconds, robotSteps, robot: rig.cell }, config))
      onEpisode?.({ ...practised, policyVersion: feed.version })
    }
    turns.give()
  }

  /** Of this process. */
  private get seconds(): number {
    return (performance.now() - this.since) / 1000
  }

  private get copies(): Copies {
    const { replay, seed } = this.config
    return { count: replay.shiftedCopies, pixels: replay.shift, seed }
  }

  /** Of this robot's log what the learner has not got, one episode at a time in memory. */
  private async *missing(have: Cursor | null): AsyncGenerator<(told: Told) => Promise<void>> {
    for (const indexed of await this.index.look()) {
      const { episode: number } = indexed.start
      const known = have !== null && (number < have.episode || (number === have.episode && have.closed))
      if (known || indexed.length === 0) continue
      yield async (told) => {
        const { episode } = await readIndexed(indexed)
        const { steps, observations } = episode
        const first = steps[0]!.id
        const seen = await encodeEpisode(
          this.session,
          {
            ...episode,
            async *observations() {
              yield* observations
            },
          },
          this.copies,
          (step) => first + step * this.place.of,
        )
        await tellEpisode(
          told,
          episode,
          seen.map((sight) => this.perception.normalise(sight)),
        )
      }
    }
  }
}
