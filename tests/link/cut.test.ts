/** @file A line that is cut without a word, and comes back: who is told so by nobody begins anew, soon, whatever still waits. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LinkChannel } from '../../src/link/nats/channel.ts'
import { connectBroker } from '../../src/link/nats/connect.ts'
import { dial } from '../../src/link/nats/dial.ts'
import { listen } from '../../src/link/nats/listen.ts'
import type { Wire } from '../../src/link/nats/wire.ts'
import { DeafLine } from './deaf-line.ts'
import { freePort, natsServer, startServer, WITHOUT } from './nats-server.ts'

const MESSAGES = 30
const LARGE = 512 << 10 // bytes: all of them are far more than the system keeps for a line that takes nothing
const SILENCE = 500 // ms

describe.skipIf(!natsServer)(natsServer ? 'a line that is cut' : WITHOUT, () => {
  let server: ReturnType<typeof startServer>
  let line: DeafLine
  const wires: Wire[] = []

  beforeAll(async () => {
    const port = await freePort()
    server = startServer(port)
    line = await DeafLine.lay(port)
  })
  afterAll(async () => {
    for (const wire of wires) await wire.close()
    line.remove()
    server.child.kill()
    await server.ended
  })

  it('is whole again a few seconds after it is mended: every message arrives once, in order', async () => {
    const said: string[] = []
    const robot = await connectBroker({ url: `nats://127.0.0.1:${line.port}` }, 'robot', {
      onTrouble: (told) => said.push(told.split(' ').at(-1)!),
      silence: SILENCE,
    })
    const learner = await connectBroker({ url: server.url }, 'learner')
    wires.push(robot, learner)
    const heard: number[] = []
    const stop = await listen(learner, 'spec', () => ({
      welcome: Buffer.of(),
      opened: (channel: LinkChannel) => channel.on('message', (bytes) => heard.push(new DataView(bytes).getUint32(0))),
    }))
    const { channel } = await dial(robot, { run: 'spec', robot: 'A' }, Buffer.of())
    const post = (number: number) => {
      const bytes = new ArrayBuffer(LARGE)
      new DataView(bytes).setUint32(0, number)
      channel.postMessage(bytes)
    }
    post(0)
    await until(() => heard.length === 1, 5)
    line.cut()
    for (let i = 1; i < MESSAGES; i++) {
      post(i)
      robot.publish('nobody', new Uint8Array(LARGE)) // does not wait for an answer, as a message does
    }
    await until(() => said.length === 1, 5)
    await sleep(300)
    expect(heard).toEqual([0])
    line.mend()
    await until(() => heard.length === MESSAGES && channel.backlog === 0, 5)
    expect(heard).toEqual(Array.from({ length: MESSAGES }, (_, i) => i))
    expect(said).toEqual(['away.', 'back.'])
    stop()
  })
})

async function until(so: () => boolean, seconds: number): Promise<void> {
  for (const end = performance.now() + 1000 * seconds; !so(); await sleep(20))
    if (performance.now() > end) throw new Error(`not so within ${seconds} s`)
}
