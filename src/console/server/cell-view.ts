/** @file What a robot does now, as the pages are told: the newest observation, the step that led to it, its pictures. */

import type { Happening } from '../../loop/happening.ts'
import { ACTORS } from '../../replay/transition.ts'
import { canonicalAction } from '../../robot/gripper.ts'
import type { Action, Image, Observation, RobotSpec } from '../../robot/robot.ts'
import { type CameraInfo, type CommandInfo, FRAME_FLAGS, type RunStage, type State, type Vector3 } from '../protocol.ts'
import { copyOf } from './pictures.ts'
import { camerasOf, ProprioReader } from './pose.ts'

type Setting = { cell: string; stage: RunStage; task: string; episode: number | null }

export class CellView {
  readonly cameras: CameraInfo[]
  private firstPicture: Image | null = null // of the newest observation
  private readonly reader: ProprioReader
  private setting: Setting | null = null
  private steps = 0 // over all
  private episodeStep = 0
  private happening: { actor: Happening['actor']; executed: number[]; planned: number[] } | null = null
  private seen: { proprio: Float32Array; time: number } | null = null

  constructor(private readonly spec: RobotSpec) {
    this.cameras = camerasOf(spec.cameras)
    this.reader = new ProprioReader(spec)
  }

  get stage(): RunStage {
    return this.setting?.stage ?? 'preparing'
  }

  /** What the first camera saw last; null while nobody looks on. */
  get firstImage(): Image | null {
    return this.firstPicture
  }

  /** Steps of the episode behind the newest observation. */
  get step(): number {
    return this.episodeStep
  }

  begin(setting: Setting): void {
    this.setting = setting
    this.episodeStep = 0
    this.happening = null
  }

  /** A step from the observation that was looked at last. The plan is told in the form in which it would have been executed. */
  act(actor: Happening['actor'], executed: Action, planned: Action): void {
    this.episodeStep++
    const plan = canonicalAction(planned, this.seen ? this.reader.grip(this.seen.proprio) : 0)
    this.happening = { actor, executed: [...executed], planned: [...plan] }
  }

  /** `pictured`: whether somebody looks on, so that the image is worth keeping. */
  look(observation: Observation, pictured: boolean): void {
    this.steps++
    this.glance(observation, pictured)
  }

  /** The same between two steps: nothing has been done since. */
  glance({ images, proprio }: Observation, pictured: boolean): void {
    this.seen = { proprio, time: Date.now() }
    const image = pictured ? images[this.cameras[0]?.name ?? ''] : undefined
    this.firstPicture = image ? copyOf(image) : null
  }

  /** What goes with the pictures of the newest observation. */
  moment(stopped: boolean, paused: boolean): { flags: number; step: number; time: number } {
    const actor = this.happening ? ACTORS.indexOf(this.happening.actor) : 0
    const flags =
      actor |
      (stopped ? FRAME_FLAGS.stopped : 0) |
      (paused ? FRAME_FLAGS.paused : 0) |
      (this.stage === 'evaluation' ? FRAME_FLAGS.evaluation : 0)
    return { flags, step: this.steps, time: this.seen!.time }
  }

  /** Null before the first observation. */
  state(command: CommandInfo | null): State | null {
    const { setting, seen, happening, reader, spec } = this
    if (!setting || !seen) return null
    const { proprio, time } = seen
    const motion = (action: number[]): Vector3 => {
      const [dx, dy, dz] = action.slice(0, 3).map((value) => value * spec.actionScale.translation)
      return [dx!, dy!, dz!]
    }
    return {
      kind: 'state',
      step: this.steps,
      time,
      robot: setting.cell,
      stage: setting.stage,
      task: setting.task,
      episode: setting.episode,
      episodeStep: this.episodeStep,
      maxSteps: spec.tasks[setting.task]!.maxSteps,
      actor: happening?.actor ?? null,
      planned: happening?.planned ?? null,
      executed: happening?.executed ?? null,
      plannedMotion: happening && motion(happening.planned),
      executedMotion: happening && motion(happening.executed),
      tcp: reader.tcp(proprio),
      gripper: reader.gripper(proprio),
      grip: reader.grip(proprio),
      speed: reader.speed(proprio),
      command,
    }
  }
}
