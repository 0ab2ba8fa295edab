/** @file What can hold a robot until a person clears it. */

/**
 * "robot": it tells of a failure, or does not do what it is told. "no answer": the way to it is gone, or it is silent.
 * "stopped": a person did, see `SafeRobot.halt`.
 */
export const FAULTS = [
  'not a number',
  'wrong length',
  'sensor',
  'force',
  'stale command',
  'lost heartbeat',
  'robot',
  'no answer',
  'stopped',
] as const
export type FaultKind = (typeof FAULTS)[number]
export type Fault = { kind: FaultKind; what: string }

export const describeFault = ({ kind, what }: Fault): string => `${kind}: ${what}`

/** What a robot's driver throws where the robot must not move on: the safety envelope stops it, and the fault latches. */
export class RobotFault extends Error {
  override name = 'RobotFault'
  constructor(
    readonly kind: FaultKind,
    readonly what: string,
    options?: ErrorOptions,
  ) {
    super(describeFault({ kind, what }), options)
  }
}
