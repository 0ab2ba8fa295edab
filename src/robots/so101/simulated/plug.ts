/** @file The cable of a simulated arm, which a test may pull out and plug in again. */
import type { SimulatedBus } from './bus.ts'
import { serveOnPty } from './pty.ts'

export class Plug {
  private cable: AbortController | null = null
  /** Resolves when the arm is switched off, or its pseudo terminal goes by itself. */
  readonly ended: Promise<void>
  private end: () => void = () => {}

  constructor(
    private readonly bus: SimulatedBus,
    private readonly port: string,
    private readonly off: AbortSignal,
  ) {
    this.ended = new Promise((resolve) => {
      this.end = resolve
    })
  }

  /** @throws InputError as `serveOnPty` does */
  async in(): Promise<void> {
    const cable = new AbortController()
    this.cable = cable
    const { ended } = await serveOnPty(this.bus, this.port, AbortSignal.any([this.off, cable.signal]))
    void ended.then(() => {
      if (!cable.signal.aborted) this.end()
    })
  }

  out(): void {
    this.cable?.abort()
  }
}
