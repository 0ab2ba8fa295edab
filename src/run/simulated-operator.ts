/** @file The operator made of software who tends a robot of a run, where its config asks for one. */
import { InputError } from '../errors.ts'
import type { CellIndex } from '../loop/online-recorder.ts'
import { robotSeed } from '../loop/practice.ts'
import type { Rig, SimulatedPerson } from '../robot/rig.ts'
import type { Translator } from '../talk/translator.ts'
import type { RunConfig } from './config.ts'

/** @throws InputError where a robot has no simulation: only a person can tend that */
export function expectTended({ operator }: Pick<RunConfig, 'operator'>, rigs: readonly Rig[]): void {
  const alone = rigs.find(({ simulation }) => !simulation)
  if (operator.kind === 'none' || !alone) return
  throw new InputError(
    'setting "operator.kind"',
    `is "simulated", and ${alone.robot.spec.name} is no simulation`,
    'Set operator.kind=none and tend it at the console',
  )
}

/** Tends one robot, and sees no other's scene. `words`: those of a policy that follows them. @throws InputError as `expectTended` */
export function simulatedOperator(
  { operator, seed }: RunConfig,
  rig: Rig,
  place: CellIndex,
  words: Translator | undefined,
): SimulatedPerson | undefined {
  if (operator.kind === 'none') return undefined
  expectTended({ operator }, [rig])
  return rig.simulation!.operator(operator.strength, robotSeed(seed, place), operator.speaks ? words : undefined)
}
