/** @file Opens a trained policy for one command, with a progress display, and closes both on every way out. */
import type { Device } from '../graph/index.ts'
import { openTrained, type Trained } from '../run/trained.ts'
import { encoderLines } from '../vla/encoder.ts'
import { ProgressDisplay } from './progress.ts'

export async function withTrained(
  checkpoint: string,
  use: (trained: Trained, display: ProgressDisplay) => Promise<void>,
  robot: Parameters<typeof openTrained>[1] = {},
  device?: Device,
): Promise<void> {
  const trained = await openTrained(checkpoint, robot, device)
  const display = new ProgressDisplay()
  for (const line of encoderLines(trained.session.encoder.description)) display.say(line)
  try {
    await use(trained, display)
  } finally {
    display.close()
    await trained.close()
  }
}
