/** @file The wire to a simulated bus in this process: what is written is answered before any timer runs. */
import type { Line } from '../feetech/line.ts'
import type { SimulatedBus } from './bus.ts'

export class SimulatedLine implements Line {
  open = true
  private listener: Parameters<Line['listen']>[0] | undefined

  constructor(
    private readonly bus: SimulatedBus,
    readonly name = 'simulated',
  ) {}

  write(bytes: Uint8Array): void {
    if (!this.open) return
    const replies = this.bus.receive(bytes)
    if (replies.length > 0) queueMicrotask(() => this.open && this.listener?.data(replies))
  }

  listen(listener: Parameters<Line['listen']>[0]): void {
    this.listener = listener
  }

  /** Somebody pulls the plug. */
  unplug(): void {
    this.open = false
    this.listener?.closed('was unplugged')
  }

  async close(): Promise<void> {
    this.open = false
  }
}
