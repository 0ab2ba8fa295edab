/** @file One robot's share of the online phase: its tasks in turn, its own operator, start states and noise. */
import type { Planner } from '../learn/planner.ts'
import { RandomStream } from '../random/stream.ts'
import type { RewardConfig } from '../reward/config.ts'
import { rewardSources } from '../reward/sources.ts'
import type { Operator } from '../robot/operator.ts'
import type { Rig, SimulatedPerson, Starts } from '../robot/rig.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { Attendance, Attendant } from './attendant.ts'
import { runEpisode } from './episode.ts'
import { Exploration, type ExplorationSettings } from './exploration.ts'
import type { Course } from './failure.ts'
import type { EpisodeSummary } from './happening.ts'
import type { CellIndex, OnlineRecorder } from './online-recorder.ts'
import { type Pace, paceOf } from './pace.ts'
import type { Perception } from './perception.ts'
import type { Turns } from './turns.ts'

/** Seed of a robot's noise, operator and demonstrations. The first robot has the run's own: one robot's run stays as it was. */
export const robotSeed = (seed: number, { index }: Pick<CellIndex, 'index'>) =>
  index === 0 ? seed : new RandomStream(seed, `robot ${index}`).integer(2 ** 31)

/** Of the run's settings those that practice needs. */
export type PracticeSettings = {
  tasks: readonly string[]
  seed: number
  evaluation: { firstSeed: number } // start states come from below it
  online: { pace?: number; exploration: ExplorationSettings }
  reward: RewardConfig
}

export type Practised = EpisodeSummary & { episode: number }

export class Practice {
  private readonly noise: RandomStream
  private readonly exploration: Exploration | undefined
  private readonly pace: Pace
  private readonly tending: Operator | undefined
  private readonly starts: Starts | undefined

  constructor(
    readonly rig: Rig,
    readonly recorder: OnlineRecorder,
    readonly operator: SimulatedPerson | undefined,
    private readonly shared: {
      perception: Perception
      policy: Planner
      policyVersion?: () => number
      turns: Turns
      course: Course
    },
    private readonly settings: PracticeSettings,
    private readonly observer?: Attendance,
  ) {
    this.noise = new RandomStream(robotSeed(settings.seed, recorder.place), `noise/${recorder.robotSteps}`)
    const { exploration } = settings.online
    if (exploration.after > 0) {
      const random = new RandomStream(robotSeed(settings.seed, recorder.place), `exploration/${recorder.robotSteps}`)
      this.exploration = new Exploration(exploration, rig.robot.spec, random)
    }
    this.pace = paceOf(rig, settings, observer)
    this.tending = observer ? observer.operator(rig.cell, operator) : operator
    this.starts = rig.simulation?.starts(robotSeed(settings.seed, recorder.place))
  }

  /**
   * One episode of the next task in turn, by someone who has the turn; it goes to the other robots before each step. The
   * episode's number fixes task and start state.
   */
  async episode(): Promise<Practised> {
    const { rig, recorder, shared } = this
    const { turns, ...minds } = shared
    const { tasks, seed, evaluation } = this.settings
    const episode = recorder.nextEpisode
    const round = Math.floor(episode / recorder.place.of)
    const task = tasks[(round + recorder.place.index) % tasks.length]!
    const start = new RandomStream(seed, `environment/${episode}`).integer(evaluation.firstSeed)
    const { failure } = shared.course
    const pace = {
      tick: async () => {
        if (rig.real) return turns.during(failure.during(this.pace.tick()))
        turns.give()
        await turns.take()
        await failure.during(this.pace.tick())
      },
    }
    const realTime = rig.real ? { during: <T>(wait: Promise<T>) => turns.during(wait) } : undefined
    const noise = () => this.noise.fillNormal(new Float32Array(ACTION_WIDTH))
    const begin = this.starts?.begin(episode, task)
    const beside = this.observer?.attend({ cell: rig.cell, stage: 'practice', task, episode })
    // while one robot is held, the others go on, or are held in their turn
    const attendant = beside && holding(beside, (held) => turns.during(failure.during(held)))
    const operator = this.tending
    const rewards = rewardSources(this.settings.reward, rig.robot.spec)
    const { exploration } = this
    const beings = { ...minds, robot: rig.robot, noise, exploration, operator, attendant }
    const crew = { ...beings, rewards, recorder, begin, pace, realTime }
    const summary = await runEpisode(crew, task, start)
    this.starts?.ended(summary)
    return { episode, ...summary }
  }
}

/** The same, where `hold` has a say in what is waited for. */
export const holding = (beside: Attendant, hold: <T>(wait: Promise<T>) => Promise<T>): Attendant => ({
  ready() {
    const held = beside.ready()
    return held && hold(held)
  },
  between() {
    const held = beside.between()
    return held && hold(held)
  },
  scene(seed) {
    const held = beside.scene(seed)
    return held && hold(held)
  },
  begin: (observation) => beside.begin(observation),
  step: (...told) => beside.step(...told),
  end: (summary) => beside.end(summary),
})
