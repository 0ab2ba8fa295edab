/** @file A session whose encoder is quick and whose episodes are short: for whole runs whose policy need not get anywhere. */
import type { Robot } from '../../src/robot/robot.ts'
import type { openSession, Session } from '../../src/run/session.ts'
import { openPlainly } from './plain-encoder.ts'

/** The expert needs less for "pick" and "assemble"; a policy that has learned nothing uses up all that it is given. */
export const STEPS = 25

export async function openBriefly(settings: Parameters<typeof openSession>[0]): Promise<Session> {
  const session = await openPlainly(settings)
  for (const { robot } of session.rigs) hurry(robot)
  return session
}

/** The clock ends its episodes early. */
export function hurry({ spec }: Pick<Robot, 'spec'>, steps = STEPS): void {
  for (const task of Object.values(spec.tasks)) task.maxSteps = steps
}
