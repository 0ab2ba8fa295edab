/** @file The wire to a servo bus, whatever it is made of: a serial port, or a simulation in memory. */

export interface Line {
  readonly name: string // "/dev/ttyACM0"
  readonly open: boolean
  write(bytes: Uint8Array): void
  /** Both are called from now on, instead of what was listened by before. */
  listen(listener: { data: (bytes: Uint8Array) => void; closed: (why: string) => void }): void
  close(): Promise<void>
}
