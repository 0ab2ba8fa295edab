/** @file The three ports over sessions: through a broker in memory that repeats and reorders, and through nats-server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LinkClient } from '../../src/link/client.ts'
import { connectBroker } from '../../src/link/nats/connect.ts'
import { dial } from '../../src/link/nats/dial.ts'
import { type Admission, listen } from '../../src/link/nats/listen.ts'
import type { Wire } from '../../src/link/nats/wire.ts'
import { serve } from '../../src/link/serve.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { encoded, frameOf, startOf, stepOf } from '../replay/numbered.ts'
import { controlSpec } from './control-spec.ts'
import { experienceSpec } from './experience-spec.ts'
import { MemoryBroker } from './memory-broker.ts'
import { freePort, natsServer, startServer, WITHOUT } from './nats-server.ts'
import { type OpenLink, RUN, StandIn } from './stand-in.ts'
import { weightsSpec } from './weights-spec.ts'

/** One learner's end for all tests of a transport; each opens a session of its own, under the same name. */
class Sessions {
  private wires: { actor: Wire; learner: Wire } | undefined
  private answer: () => Admission = () => {
    throw new Error('nobody is expected')
  }
  private stop = () => {}

  async begin(wire: () => Promise<Wire>): Promise<void> {
    this.wires = { actor: await wire(), learner: await wire() }
    this.stop = await listen(this.wires.learner, 'spec', () => this.answer())
  }

  async end(): Promise<void> {
    this.stop()
    await this.wires?.actor.close()
    await this.wires?.learner.close()
  }

  readonly open: OpenLink = async (open, events) => {
    let serving: Promise<void> = Promise.resolve()
    this.answer = () => ({
      welcome: Buffer.of(),
      opened: (channel) => (serving = serve(channel, open, { run: RUN, figuresEvery: 10 })),
    })
    let link: LinkClient | undefined
    const onLost = (error: Error) => link?.lose(error)
    const { channel } = await dial(this.wires!.actor, { run: 'spec', robot: 'A' }, Buffer.of(), { onLost })
    link = new LinkClient(channel, RUN, () => serving, events)
    return { link, ready: link.ready(), close: () => link.close() }
  }
}

function specified(name: string, sessions: Sessions): void {
  experienceSpec(name, sessions.open)
  weightsSpec(name, sessions.open)
  controlSpec(name, sessions.open)
}

describe('a broker in memory', () => {
  const sessions = new Sessions()
  const broker = new MemoryBroker({ random: new RandomStream(4, 'broker'), repeats: 0.3, shuffles: true })
  beforeAll(() => sessions.begin(async () => broker.wire()))
  afterAll(() => sessions.end())
  specified('a broker that repeats and reorders', sessions)
})

describe.skipIf(!natsServer)(natsServer ? 'nats-server' : WITHOUT, () => {
  const sessions = new Sessions()
  let port: number
  let server: ReturnType<typeof startServer>
  beforeAll(async () => {
    port = await freePort()
    server = startServer(port)
    await sessions.begin(() => connectBroker({ url: server.url }, 'a test'))
  })
  afterAll(async () => {
    await sessions.end()
    server.child.kill()
    await server.ended
  })
  specified('nats', sessions)

  it('is killed and comes back: nothing is lost, nothing counts twice', async () => {
    const learner = new StandIn()
    const { link, ready, close } = await sessions.open(async () => learner)
    await ready
    const experience = link.experience('A')
    for (let episode = 1; episode <= 30; episode++) {
      const plan = { episode, steps: 3 }
      experience.begin(startOf(plan), encoded(frameOf(episode, 0)))
      for (let t = 0; t < 3; t++) experience.step(episode, stepOf(plan, t), encoded(frameOf(episode, t + 1)))
      experience.end(episode, { ending: 'timeout' })
      if (episode % 10 !== 0) continue
      server.child.kill('SIGKILL')
      await server.ended
      server = startServer(port)
    }
    await experience.room(0)
    expect(learner.replay.stats()).toMatchObject({ episodes: 30, transitions: 90 })
    expect(await link.control.learn('online', 2)).toMatchObject({ made: 2 })
    await close()
  })
})
