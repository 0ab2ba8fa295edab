/** @file Opens a trained policy for one command, with a progress display, and closes both on every way out. */
import { openTrained, type Trained } from '../run/trained.ts'
import { ProgressDisplay } from './progress.ts'

export async function withTrained(
  checkpoint: string,
  use: (trained: Trained, display: ProgressDisplay) => Promise<void>,
  robot: Parameters<typeof openTrained>[1] = {},
): Promise<void> {
  const trained = await openTrained(checkpoint, robot)
  const display = new ProgressDisplay()
  try {
    await use(trained, display)
  } finally {
    display.close()
    await trained.close()
  }
}
