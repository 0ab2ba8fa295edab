/** @file One rung of the ladder by which a robot is brought up: what it does, what a person is to look at, what it found. */
import type { Rig } from '../../robot/rig.ts'
import type { Action, Observation } from '../../robot/robot.ts'
import type { Hand } from './hand.ts'

export type Findings = Record<string, string | number | boolean>

/** What a rung reaches. */
export type Site = {
  rig: Rig
  hand: Hand
  task: string
  /** Keeps a picture beside the report. @returns its name there */
  keep(name: string, png: Uint8Array): string
  /** What a policy would do next, where one is tried beside. */
  plan?: ((observation: Observation) => Promise<Action>) | undefined
}

export type Rung = {
  name: string
  moves: boolean
  look: string // at what a person is to look, to say whether it is right
  /** @throws InputError where the robot is not as it should be: nothing above this rung is tried */
  climb(site: Site): Promise<Findings>
}

/** Readings of a robot that nobody moves, at its rate. */
export async function watch({ rig: { robot }, hand }: Site, seconds: number): Promise<Observation[]> {
  const seen: Observation[] = []
  for (let left = Math.ceil(seconds * robot.spec.rate); left > 0; left--) {
    await hand.period()
    const { images, ...rest } = await robot.observe()
    seen.push({ ...rest, images: { ...images } })
  }
  return seen
}

export const millimetres = (metres: number): number => Math.round(10_000 * metres) / 10
