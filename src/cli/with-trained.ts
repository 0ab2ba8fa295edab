/** @file Opens a trained policy for one command, with a progress display, and closes both on every way out. */

import { InputError } from '../errors.ts'
import type { Device } from '../graph/index.ts'
import type { Robot } from '../robot/robot.ts'
import { type ActingPolicy, openTrained, type Trained } from '../run/trained.ts'
import { ProgressDisplay } from './progress.ts'

/** @throws InputError always: this command needs scenes that can be brought back */
export function noSimulation({ spec }: Robot): never {
  throw new InputError(
    spec.name,
    'is no simulation',
    'Its scenes cannot be brought back: try this on a simulated robot',
  )
}

export async function withTrained(
  checkpoint: string,
  use: (trained: Trained, display: ProgressDisplay) => Promise<void>,
  robot: Parameters<typeof openTrained>[1] = {},
  device?: Device,
): Promise<void> {
  await withActing(await openTrained(checkpoint, robot, device), use)
}

/** The same with a policy that is open already, from wherever it comes. */
export async function withActing<A extends ActingPolicy>(
  trained: A,
  use: (trained: A, display: ProgressDisplay) => Promise<void>,
): Promise<void> {
  const display = new ProgressDisplay()
  for (const note of trained.session.encoder.description.notes ?? []) display.say(`Encoder: ${note}`)
  try {
    await use(trained, display)
  } finally {
    display.close()
    await trained.close()
  }
}
