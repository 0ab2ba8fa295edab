/** @file What can hold a robot until a person clears it. */

/** "stopped": a person did, see `SafeRobot.halt`. */
export const FAULTS = [
  'not a number',
  'wrong length',
  'sensor',
  'force',
  'stale command',
  'lost heartbeat',
  'stopped',
] as const
export type FaultKind = (typeof FAULTS)[number]
export type Fault = { kind: FaultKind; what: string }

export const describeFault = ({ kind, what }: Fault): string => `${kind}: ${what}`
