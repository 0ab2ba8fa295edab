/** @file What the person of a proof tells of it. */

/** An episode as the person laid it, and what truly came of it. `stage`: "step 0", "final", "practice", "demonstration". */
export type Trial = { stage: string; task: string; seed: number; success: boolean }

export type Report = {
  trials: Trial[]
  windows: { from: number; to: number }[] // ms since 1970: steps of practice and evaluations
  takeovers: number
  commands: number
  stops: number
  faults: string[]
}
