/** @file The operator made of software who tends a robot of a run, where its config asks for one. */
import { InputError } from '../errors.ts'
import type { CellIndex } from '../loop/online-recorder.ts'
import { robotSeed } from '../loop/practice.ts'
import type { Rig, SimulatedPerson } from '../robot/rig.ts'
import type { Translator } from '../talk/translator.ts'
import type { RunConfig } from './config.ts'

/** Tends one robot, and sees no other's scene. `words`: those of a policy that follows them. @throws InputError if the robot is real: only a person can tend that */
export function simulatedOperator(
  { operator, seed }: RunConfig,
  { robot, simulation }: Rig,
  place: CellIndex,
  words: Translator | undefined,
): SimulatedPerson | undefined {
  if (operator.kind === 'none') return undefined
  if (!simulation)
    throw new InputError(
      'setting "operator.kind"',
      `is "simulated", and ${robot.spec.name} is no simulation`,
      'Set operator.kind=none and tend it at the console',
    )
  return simulation.operator(operator.strength, robotSeed(seed, place), operator.speaks ? words : undefined)
}
