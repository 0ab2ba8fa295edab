/** @file One episode: the policy plans, the operator tends, the robot acts, and every step is told to the recorder. */
import { InputError } from '../errors.ts'
import type { Planner, Sighting } from '../learn/planner.ts'
import type { Actor } from '../replay/transition.ts'
import { decide, type RewardSource, robotsOwn } from '../reward/reward.ts'
import { describeFault, type Fault } from '../robot/fault.ts'
import type { Operator, Tending, Verdict } from '../robot/operator.ts'
import { ownObservation } from '../robot/own-observation.ts'
import type { Action, Observation } from '../robot/robot.ts'
import type { SafeRobot } from '../robot/safety.ts'
import { carried } from '../talk/reach.ts'
import { AfterCommand } from './after-command.ts'
import type { Attendant } from './attendant.ts'
import type { Exploration } from './exploration.ts'
import type { Course } from './failure.ts'
import type { EpisodeSummary, Happening } from './happening.ts'
import { laidScene } from './laid-scene.ts'
import type { Pace } from './pace.ts'
import { type Copies, NO_COPIES, type Perception, type SeenObservation } from './perception.ts'
import { LoopTiming } from './timing.ts'

/** Hears of an episode as it happens. A promise holds the robot back (lock-step learning). */
export interface Recorder {
  /** Shifted copies to encode with each observation. */
  readonly copies: Copies
  /** Number of the observation that comes before step `step` of the episode; fixes the shifts of its copies. */
  observationId(step: number): number
  begin(task: string, seed: number, observation: Observation, seen: SeenObservation): void
  step(happening: Happening, next: Observation, seen: SeenObservation): Promise<void> | void
  end(summary: EpisodeSummary): Promise<void> | void
  /** The episode cannot go on, and why; what was recorded of it stands. */
  interrupt?(why: string): void
}

export type Rollout = {
  robot: SafeRobot
  perception: Perception
  policy: Planner
  /** Updates that the policy holds by now; left out where nobody asks afterwards. */
  policyVersion?: () => number
  /** [7] the noise ξ of the next action, in units of K. */
  noise: () => Float32Array
  /** What is tried where the policy stands still; left out where its own doing is to be seen. */
  exploration?: Exploration
  operator?: Operator
  /** How the episode begins, if not by a reset: a chain goes on from the scene as it stands. */
  begin?: (task: string, seed: number) => Promise<Observation>
  /** Waits for the start of the next period. */
  pace?: Pick<Pace, 'tick'>
  recorder?: Recorder
  /** Who judges each step; the robot itself where nobody is named. */
  rewards?: readonly RewardSource[]
  /** Hears of a failure before each command, and of a stop before each step, which ends the episode as an abort. */
  course?: Course
  /** An observer beside the robot, who may hold it between two steps and end the episode there. */
  attendant?: Attendant
  /** Of a robot that waits for nobody; left out for a simulation. `during`: others may think while it moves. */
  realTime?: { during<T>(wait: Promise<T>): Promise<T> }
}

/** Runs one episode to success, failure, verdict or time limit. An error stops the robot and passes through. */
export async function runEpisode(crew: Rollout, task: string, seed: number): Promise<EpisodeSummary> {
  const { robot, operator, recorder, attendant, course, realTime } = crew
  const failure = course?.failure
  const { maxSteps } = robot.spec.tasks[task]!
  const later = new AfterCommand(realTime !== undefined)
  const timing = realTime && new LoopTiming(robot.spec.rate)
  const eyes = new Eyes(crew, task, later)
  const summary: EpisodeSummary = {
    task,
    seed,
    ending: 'abort',
    length: 0,
    operatorSteps: 0,
    spokenSteps: 0,
    commands: 0,
    segments: [],
  }
  let saidBefore: string | null = null
  let afresh = true
  try {
    const held = attendant?.ready()
    if (held) await held
    failure?.check()
    if (course?.stopping) return summary // before it began: whoever stops a run wants no robot to be reset, which moves it
    const start = await (crew.begin ? crew.begin(task, seed) : robot.reset(task, seed))
    const laying = attendant?.scene(seed)
    if (laying) await laying
    failure?.check()
    let now = await eyes.see(laying ? await laidScene(robot) : start, 0)
    timing?.received(now.observation, performance.now())
    for (const { begin } of crew.rewards ?? OWN) begin?.(task)
    crew.exploration?.begin()
    operator?.begin(task)
    const first = now
    await later.do(() => recorder?.begin(task, seed, first.observation, first.seen))
    attendant?.begin(now.observation)
    const plan = async (): Promise<Plan> => {
      const sighting: Sighting = { observation: now.observation, task, afresh }
      const policyVersion = crew.policyVersion?.()
      return { sighting, policyVersion, planned: await crew.policy.primary(now.seen, crew.noise(), sighting) }
    }
    for (let over = false; !over; ) {
      // while a real robot moves there is time to think; a simulated one plans with what it has learned by its tick
      const early = realTime && (await plan())
      await crew.pace?.tick()
      const waiting = attendant?.between()
      if (waiting) await later.run() // it may be long
      const verdict = (waiting && (await waiting)) ?? (course?.stopping ? 'abort' : undefined)
      if (course?.stopping) await robot.stop()
      if (verdict) {
        Object.assign(summary, closing(verdict))
        break
      }
      if (waiting && realTime) {
        await eyes.lookAgain(now) // the world went on while the robot was held
        timing?.received(now.observation, performance.now())
        timing?.pause()
      }
      afresh ||= waiting !== undefined
      if (waiting) crew.exploration?.begin()
      const madeAt = robot.now()
      const { sighting, policyVersion, planned } = early && !waiting ? early : await plan()
      const tending = operator?.tend(now.observation, planned) ?? {}
      const { command, actor } = await choose(crew, now, planned, tending, sighting)
      afresh = actor !== 'primary'
      failure?.check()
      const latency = timing?.commanded(performance.now())
      let arrived = 0
      const going = robot.step(command, madeAt).finally(() => {
        arrived = performance.now()
      })
      const outcome = await later.during(realTime ? realTime.during(going) : going)
      if (robot.fault && robot.fault.kind !== 'stopped') throw stopped(robot.fault)
      const action = robot.executed
      now = await eyes.see(outcome.observation, summary.length + 1)
      timing?.received(now.observation, arrived)
      const judged = decide(crew.rewards ?? OWN, outcome, tending.verdict, summary.length + 1 >= maxSteps)
      const told = { action, planned, ...judged, actor, command: tending.command ?? null }
      const happening: Happening = {
        step: summary.length,
        ...told,
        ...(policyVersion !== undefined && { policyVersion }),
      }
      if (actor === 'operator') countIntervention(summary)
      if (happening.command !== null) {
        summary.spokenSteps++
        if (happening.command !== saidBefore) summary.commands++
      }
      saidBefore = happening.command
      summary.length++
      const next = now
      await later.do(async () => {
        await recorder?.step(happening, next.observation, next.seen)
        attendant?.step(happening, planned, next.observation, latency)
      })
      over = judged.terminated || judged.truncated
      summary.by = judged.by
      if (judged.terminated) summary.ending = judged.reward > 0 ? 'success' : 'failure'
      else if (over && tending.verdict !== 'abort') summary.ending = 'timeout'
    }
    await robot.rest()
    await later.run()
    summary.timing = timing?.times
    await recorder?.end(summary)
    attendant?.end(summary)
    return summary
  } catch (error) {
    await robot.stop().catch(() => {}) // one that cannot be stopped must not hide why it was to be
    await later.run().catch(() => {}) // what has happened is recorded, as far as it can be
    if (robot.fault && robot.fault.kind !== 'stopped') recorder?.interrupt?.(describeFault(robot.fault))
    throw robot.fault?.kind === 'sensor' ? stopped(robot.fault) : error
  }
}

/** A moment: what the robot told, and what the networks see of it. */
type Moment = { observation: Observation; seen: SeenObservation }

/** What the policy would do, and what it was asked about. */
type Plan = { sighting: Sighting; policyVersion: number | undefined; planned: Action }

/** Sees for one episode; in real time its shifted copies are encoded after the next command. */
class Eyes {
  constructor(
    private readonly crew: Rollout,
    private readonly task: string,
    private readonly later: AfterCommand,
  ) {}

  /** `step`: the number of the step that comes next. */
  async see(observation: Observation, step: number): Promise<Moment> {
    const { perception, recorder, realTime } = this.crew
    const copies = recorder?.copies ?? NO_COPIES
    const id = recorder?.observationId(step) ?? 0
    if (!realTime) return { observation, seen: await perception.see(observation, this.task, copies, id) }
    const moment = await this.atOnce(observation)
    void this.later.do(async () => {
      const features = await perception.copies(moment.observation, this.task, copies, id)
      moment.seen = { ...moment.seen, features: [...moment.seen.features, ...features] }
    })
    return moment
  }

  /** The same moment, with what is to be seen by now. */
  async lookAgain(moment: Moment): Promise<void> {
    Object.assign(moment, await this.atOnce(await this.crew.robot.observe()))
  }

  private async atOnce(observation: Observation): Promise<Moment> {
    const own = ownObservation(observation)
    return { observation: own, seen: await this.crew.perception.see(own, this.task) }
  }
}

/** The step that comes next is the operator's: it lengthens their last intervention, or begins one. */
function countIntervention(summary: EpisodeSummary): void {
  const { segments, length } = summary
  summary.operatorSteps++
  const last = segments.at(-1)
  if (last && last.from + last.steps === length) last.steps++
  else segments.push({ from: length, steps: 1 })
}

/** The operator's hand comes first, then the refinement actor if there is one and something was said, then what is tried, else the primary actor. */
async function choose(
  { robot, policy, noise, exploration }: Rollout,
  { seen, observation }: Moment,
  planned: Action,
  { takeover, command, toGo }: Tending,
  sighting: Sighting,
): Promise<{ command: Action; actor: Actor }> {
  if (takeover || command !== undefined) exploration?.begin()
  if (takeover) return { command: takeover, actor: 'operator' }
  if (command === undefined || !policy.followsCommands) {
    const tried = exploration?.instead(observation)
    return tried ? { command: tried, actor: 'exploration' } : { command: planned, actor: 'primary' }
  }
  const refined = await policy.refined(seen, command, noise(), sighting)
  const told = toGo ? carried(refined, toGo, robot.spec.actionScale.translation) : refined
  return { command: told, actor: 'refinement' }
}

const OWN = [robotsOwn]

const stopped = (fault: Fault) =>
  new InputError(
    'safety envelope',
    `the robot holds after a fault, ${describeFault(fault)}`,
    fault.kind === 'sensor'
      ? 'Look at the robot and at its sensors; the run can be resumed, nothing logged is lost'
      : 'Look at the robot and at what commanded it; the run can be resumed, nothing logged is lost',
  )

/** An abort says nothing about the state: the episode was cut off. */
const closing = (verdict: Verdict): Pick<EpisodeSummary, 'ending' | 'by' | 'judged'> => ({
  ending: verdict,
  by: 'person',
  judged: { reward: verdict === 'success' ? 1 : 0, terminated: verdict !== 'abort' },
})
