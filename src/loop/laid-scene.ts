/** @file What a robot sees of a scene that a person has just laid. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Observation, Robot } from '../robot/robot.ts'

const NEW_PICTURES = 1000 // ms in which each camera should have one
const AGAIN = 10 // ms between two looks whether it has

/** As it is once they say so: the hand that laid it, or the scene before, is in no picture, as far as the cameras tell of when they are. */
export async function laidScene(robot: Pick<Robot, 'observe'>): Promise<Observation> {
  const first = await robot.observe()
  const end = performance.now() + NEW_PICTURES
  let seen = first
  while (Object.values(seen.taken ?? {}).some((at) => at < first.time) && performance.now() < end) {
    await sleep(AGAIN)
    seen = await robot.observe()
  }
  return seen // a picture that is old all the same is for the envelope to judge
}
