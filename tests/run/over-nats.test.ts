/** @file Lock-step with the learner behind a broker: the curve is that of one process, to the bit. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LinkClient } from '../../src/link/client.ts'
import { connectBroker } from '../../src/link/nats/connect.ts'
import { dial } from '../../src/link/nats/dial.ts'
import { listen } from '../../src/link/nats/listen.ts'
import type { Wire } from '../../src/link/nats/wire.ts'
import { serve } from '../../src/link/serve.ts'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { RunFolder } from '../../src/run/folder.ts'
import type { StartLearner } from '../../src/run/learner.ts'
import { openLearner } from '../../src/run/learner-process.ts'
import { train } from '../../src/run/train.ts'
import { freePort, natsServer, startServer, WITHOUT } from '../link/nats-server.ts'
import { oneTask } from './one-task.ts'
import { openPlainly } from './plain-encoder.ts'

const root = mkdtempSync(join(tmpdir(), 'duet-over-nats-'))
afterAll(() => rmSync(root, { recursive: true }))

const config = oneTask({
  warmUp: { updates: 10 },
  online: { robotMinutes: 0.2, publishEvery: 10, startAfter: 10 },
})

/** Runs the settings in a folder of its own, under one name: it is in what the learner is told. */
async function run(place: string, start?: StartLearner): Promise<RunFolder> {
  const folder = RunFolder.create(join(root, place, 'run'), config)
  await train(folder, config, {}, openPlainly, start)
  return folder
}

/** All that a run keeps of what happened, but for the time that it took, and the step during which a learner was heard of. */
function kept({ path, metrics }: RunFolder) {
  const files = ['log', 'checkpoints', 'demonstrations'].flatMap((part) =>
    readdirSync(join(path, part), { recursive: true, encoding: 'utf8' }).map((name) => join(part, name)),
  )
  const numbers = files.filter((name) => /\.(duetlog|safetensors)$/.test(name)).sort()
  return {
    metrics: readMetrics(metrics).map(({ time: _, ...metric }) => ({
      ...metric,
      seconds: undefined,
      ...(metric.kind === 'update' && { robotSteps: undefined }),
    })),
    files: Object.fromEntries(numbers.map((name) => [name, readFileSync(join(path, name))])),
  }
}

describe.skipIf(!natsServer)(natsServer ? 'a learner behind nats-server' : WITHOUT, () => {
  const wires: Wire[] = []
  let server: ReturnType<typeof startServer>

  beforeAll(async () => {
    server = startServer(await freePort())
    for (const name of ['robots', 'learner']) wires.push(await connectBroker({ url: server.url }, name))
  })
  afterAll(async () => {
    for (const wire of wires) await wire.close()
    server.child.kill()
    await server.ended
  })

  const overNats: StartLearner = async (setup, events) => {
    const [robots, learner] = wires as [Wire, Wire]
    let serving: Promise<void> = Promise.resolve()
    const stop = await listen(learner, 'lockstep', () => ({
      welcome: Buffer.of(),
      opened: (channel) => (serving = serve(channel, () => openLearner(setup), setup)),
    }))
    let link: LinkClient | undefined
    const onLost = (error: Error) => link?.lose(error)
    const { channel } = await dial(robots, { run: 'lockstep', robot: 'robots' }, Buffer.of(), { onLost })
    const end = async () => {
      await serving
      stop()
    }
    link = new LinkClient(channel, setup.run, end, events)
    return link
  }

  it('learns in lock-step what the learner of the same process learns, to the bit', async () => {
    const alone = kept(await run('alone'))
    const apart = kept(await run('apart', overNats))
    const learnt = alone.metrics.flatMap((metric) => ('updates' in metric ? [metric.updates] : []))
    expect(Math.max(...learnt)).toBeGreaterThan(0) // online, beside those of the warm-up
    expect(apart.metrics).toEqual(alone.metrics)
    expect(Object.keys(alone.files).length).toBeGreaterThan(3)
    expect(Object.keys(apart.files)).toEqual(Object.keys(alone.files))
    for (const [name, bytes] of Object.entries(alone.files)) expect(bytes.equals(apart.files[name]!), name).toBe(true)
  }, 600_000)
})
