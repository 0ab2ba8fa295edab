/** @file Opens a workcell for a run: the robot behind its envelope, and the people and scenes that the simulation has to offer. */
import type { Rig, RigOptions, Simulation } from '../../robot/rig.ts'
import { ChainStarts } from './chain-starts.ts'
import { optionsOf, type WorkcellConfig } from './config.ts'
import { demonstrator, handDemonstrator } from './demonstrator.ts'
import { type GuardedWorkcell, guardedWorkcell } from './guarded.ts'
import { operationsOf } from './operations.ts'
import { intentionsOf } from './operator/intention.ts'
import { SimulatedOperator } from './operator/operator.ts'
import { OPERATORS } from './operator/options.ts'
import { Speaker } from './operator/speaker.ts'
import { Voice } from './operator/voice.ts'
import type { Snapshot } from './workcell.ts'

export async function openWorkcell(config: WorkcellConfig, cell: string, { blind }: RigOptions = {}): Promise<Rig> {
  const guarded = await guardedWorkcell(optionsOf(config, cell, blind))
  return {
    cell,
    robot: guarded.robot,
    reset: 'itself',
    real: false,
    simulation: simulationOf(guarded, config.chainStarts) as Simulation, // nobody but itself is given its scenes
    async close() {
      await guarded.robot.stop()
      guarded.workcell.free()
    },
  }
}

/** `chainStarts`: share of the episodes that begin where a success ended. */
export function simulationOf(guarded: GuardedWorkcell, chainStarts = 0): Simulation<Snapshot> {
  const { workcell } = guarded
  const truth = () => workcell.truth()
  return {
    snapshot: () => workcell.snapshot(),
    restore: (scene) => workcell.restore(scene),
    tool: () => truth().tcp.position,
    operations: (count) => operationsOf(count, workcell.options.bolts),
    begin({ task, bolt }, seed) {
      if (seed === undefined) workcell.begin(task, { bolt })
      else workcell.resetSync(task, seed, { bolt })
    },
    starts: (seed) => new ChainStarts(guarded, chainStarts, seed),
    operator: (strength, seed, words) =>
      new SimulatedOperator(truth, seed, OPERATORS[strength], words && new Voice(workcell, words)),
    speaker: (words) => new Speaker(workcell, words),
    demonstrator: (seed, hand, by) => (by === 'person' ? handDemonstrator : demonstrator)(truth, seed, hand),
    intentions: (done, strength) => intentionsOf(done, workcell, OPERATORS[strength]),
  }
}
