/**
 * @file Practice episodes that begin as operations of a chain do: in the scene that the policy itself left behind, where the
 * task in turn follows on the one before. Reset starts are tidier: at rest, upright, centred.
 */
import { RandomStream } from '../../random/stream.ts'
import type { Operation, Starts } from '../../robot/rig.ts'
import type { Observation } from '../../robot/robot.ts'
import type { GuardedWorkcell } from './guarded.ts'
import { operationAfter } from './operations.ts'
import type { Snapshot } from './workcell.ts'

export class ChainStarts implements Starts {
  private left?: { next: Operation; scene: Snapshot }

  constructor(
    private readonly station: GuardedWorkcell,
    private readonly share: number,
    private readonly seed: number,
  ) {}

  /**
   * How the episode is to begin; undefined: by a reset. The draw is fixed by the episode's number, the scene by the
   * episodes before: a resumed run begins with a reset.
   */
  begin(episode: number, task: string): (() => Promise<Observation>) | undefined {
    const { left, station } = this
    if (left?.next.task !== task) return undefined
    if (new RandomStream(this.seed, `chain start/${episode}`).uniform() >= this.share) return undefined
    return async () => {
      await station.robot.stop()
      station.workcell.restore(left.scene) // an evaluation may have been in between
      station.workcell.begin(task, { bolt: left.next.bolt })
      return station.robot.observe()
    }
  }

  /** Keeps the scene of a success that something can follow on. */
  ended({ task, ending }: { task: string; ending: string }): void {
    const { workcell } = this.station
    this.left = undefined
    if (this.share === 0 || ending !== 'success') return
    const { bolt } = workcell.truth()
    const next = operationAfter({ task, bolt }, workcell.options.bolts)
    if (next) this.left = { next, scene: workcell.snapshot() }
  }
}
