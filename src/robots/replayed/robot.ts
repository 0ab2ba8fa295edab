/**
 * @file A robot that plays recorded episodes under the name of the one that was recorded, so that its demonstrations fit:
 * observations as they were logged; actions are compared with those of then.
 */
import { InputError } from '../../errors.ts'
import { FrameReader } from '../../replay/frames.ts'
import { readLogHeader, segmentsOf } from '../../replay/log-files.ts'
import type { LoggedRobot } from '../../replay/log-header.ts'
import { type LoggedEpisode, readEpisodes } from '../../replay/log-reader.ts'
import { canonicalAction, gripAfter, toldGrip } from '../../robot/gripper.ts'
import {
  ACTION_WIDTH,
  type Action,
  type Observation,
  type Outcome,
  type Robot,
  type RobotSpec,
} from '../../robot/robot.ts'

export class ReplayedRobot implements Robot {
  /** Reads the log anew each time: nothing of it is kept but the episode that is played. @throws InputError without an episode */
  static open(folder: string): ReplayedRobot {
    const [file] = segmentsOf(folder)
    if (!file) throw new InputError(folder, 'holds no log', 'Give the folder of demonstrations, or the log of a run')
    const frames = new FrameReader(file)
    try {
      return new ReplayedRobot(folder, readLogHeader(frames, file).robot)
    } finally {
      frames.close()
    }
  }

  readonly spec: RobotSpec
  /** Largest difference of any entry of an action from the one that was executed then, over all steps so far. */
  deviation = 0
  private readonly places: { task: string; seed: number | null; index: number }[] = []
  private episode: LoggedEpisode | null = null
  private passed = 0 // observations of the episode that were passed
  private offset = 0 // s, from the log's clock to this robot's, which only advances
  private now: Observation | null = null

  private constructor(
    private readonly folder: string,
    robot: LoggedRobot,
  ) {
    const longest = new Map<string, number>()
    let index = 0
    for (const { start, steps } of readEpisodes(folder)) {
      this.places.push({ task: start.task, seed: start.seed, index: index++ })
      longest.set(start.task, Math.max(longest.get(start.task) ?? 1, steps.length))
    }
    if (index === 0) throw new InputError(folder, 'holds no episode', 'Record one first')
    const tasks = [...longest].map(([task, maxSteps]) => [task, { instruction: task, maxSteps }] as const)
    this.spec = { ...robot, tasks: Object.fromEntries(tasks) }
  }

  /** The recorded episode of that seed, else one of the task's in turn. @throws InputError if the task was never recorded */
  async reset(task: string, seed = 0): Promise<Observation> {
    const own = this.places.filter((place) => place.task === task)
    if (own.length === 0)
      throw new InputError(
        this.folder,
        `holds no episode of task "${task}"`,
        `It has: ${Object.keys(this.spec.tasks).join(', ')}`,
      )
    const { index } = own.find((place) => place.seed === seed) ?? own[Math.abs(seed) % own.length]!
    this.episode = this.read(index)
    this.passed = 0
    const time = this.now ? this.now.time + 1 / this.spec.rate : 0
    this.offset = time - this.episode.observations[0]!.time
    return this.look()
  }

  async observe(): Promise<Observation> {
    return this.now ?? this.reset(this.places[0]!.task)
  }

  /** @throws InputError for an action that is not 7 finite numbers, or past the end of what was recorded */
  async step(action: Action): Promise<Outcome> {
    if (action.length !== ACTION_WIDTH || !action.every(Number.isFinite))
      throw new InputError('replayed.action', `is [${[...action]}]`, `Give ${ACTION_WIDTH} finite numbers`)
    const logged = this.episode?.steps[this.passed]
    if (!logged) throw new InputError(this.folder, 'has no further step of this episode', 'Reset the robot')
    const { channels } = this.spec
    const grip = gripAfter(toldGrip(channels, this.episode!.observations[this.passed]!.proprio), 0)
    canonicalAction(action, grip).forEach((value, i) => {
      this.deviation = Math.max(this.deviation, Math.abs(value - logged.action[i]!))
    })
    this.passed++
    const over = this.passed === this.episode!.steps.length // what came after was not recorded: it ends here for good
    return { observation: this.look(), reward: logged.reward, terminated: logged.terminated || over }
  }

  /** Nothing moves. */
  async stop(): Promise<void> {}

  private look(): Observation {
    const logged = this.episode!.observations[this.passed]!
    this.now = { ...logged, proprio: logged.proprio.slice(), time: logged.time + this.offset }
    return this.now
  }

  private read(wanted: number): LoggedEpisode {
    let index = 0
    for (const episode of readEpisodes(this.folder)) if (index++ === wanted) return episode
    throw new InputError(this.folder, 'has changed since it was opened', 'Open the robot again')
  }
}
