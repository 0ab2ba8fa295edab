/** @file A line to a port that can be cut as a cable is: nobody is told, and what was open then never goes on. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class DeafLine {
  /** Who comes meanwhile is taken in, and not heard. */
  private isCut = false
  private readonly open = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    private readonly to: number,
  ) {
    server.on('connection', (near) => this.join(near))
  }

  static async lay(to: number): Promise<DeafLine> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new DeafLine(server, to)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  cut(): void {
    this.isCut = true
    for (const end of this.open) end.unpipe().pause()
  }

  /** For those who come from now on. */
  mend(): void {
    this.isCut = false
  }

  remove(): void {
    this.server.close()
    for (const end of this.open) end.destroy()
  }

  private join(near: Socket): void {
    this.keep(near)
    if (this.isCut) return
    const far = this.keep(connect(this.to, '127.0.0.1'))
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  }

  private keep(end: Socket): Socket {
    this.open.add(end)
    return end.on('error', () => {}).on('close', () => this.open.delete(end))
  }
}
