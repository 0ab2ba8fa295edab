/**
 * @file openpi's own Python client drives the workcell through our server, beside the same policy without a wire: success on
 * the same seeds, and how long an answer takes.
 *
 *   npx tsx bench/openpi-client.ts <run> <python> <openpi>/packages/openpi-client/src [trials] [hz]
 */
import { spawn } from 'node:child_process'
import { NumpyArray, numbersOf, pack, unpack } from '../src/formats/msgpack.ts'
import type { Planner } from '../src/learn/planner.ts'
import { evaluate, scores, trialDraws } from '../src/loop/evaluate.ts'
import { Pace } from '../src/loop/pace.ts'
import { servePolicy } from '../src/policies/serve/server.ts'
import { servedRun } from '../src/run/served.ts'
import { openTrained } from '../src/run/trained.ts'

const [run, python, client, trials = '10', rate = '10'] = process.argv.slice(2)
if (!run || !python || !client)
  throw new Error('Give a run, a python with openpi-client’s needs, and the client’s src folder')

/** Messages of a length and so many bytes, both ways; in between each goes through openpi's packer and client. */
const RELAY = `
import sys, struct, time
sys.path.insert(0, sys.argv[1])
from openpi_client import msgpack_numpy, websocket_client_policy
policy = websocket_client_policy.WebsocketClientPolicy(host=sys.argv[2])
read, write = sys.stdin.buffer, sys.stdout.buffer
while head := read.read(4):
    observation = msgpack_numpy.unpackb(read.read(struct.unpack('<I', head)[0]))
    since = time.perf_counter()
    answer = policy.infer(observation)
    took = 1000 * (time.perf_counter() - since)
    told = msgpack_numpy.packb({'actions': answer['actions'], 'ms': took})
    write.write(struct.pack('<I', len(told)) + told)
    write.flush()
`

const trained = await openTrained(run)
const { config, session, perception, policy } = trained
const served = await servedRun(run, { names: {}, seed: config.seed })
const server = await servePolicy(served, { host: '127.0.0.1', port: 0 })
const relay = spawn(python, ['-c', RELAY, client, server.address], { stdio: ['pipe', 'pipe', 'inherit'] })
const took: number[] = []

async function throughOpenpi(message: Uint8Array): Promise<Float32Array> {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(message.length)
  relay.stdin.write(head)
  relay.stdin.write(message)
  const size = (await bytes(4)).readUInt32LE()
  const answer = unpack(await bytes(size), 'relay') as Map<string, NumpyArray & number>
  took.push(answer.get('ms')!)
  return numbersOf(answer.get('actions')!, 'actions')
}

async function bytes(count: number): Promise<Buffer> {
  for (;;) {
    const part = relay.stdout.read(count) as Buffer | null
    if (part) return part
    await new Promise((resolve) => relay.stdout.once('readable', resolve))
  }
}

const remote: Planner = {
  followsCommands: false,
  async primary(_, xi, { observation, task, afresh }) {
    const pictures = Object.entries(observation.images).map(([camera, { width, height, data }]) => [
      `observation/${camera}`,
      NumpyArray.bytes(data, [height, width, 3]),
    ])
    return throughOpenpi(
      pack({
        ...Object.fromEntries(pictures),
        'observation/state': NumpyArray.floats(observation.proprio),
        prompt: session.instructions[task]!,
        noise: NumpyArray.floats(xi),
        reset: afresh,
      }),
    )
  },
  refined: () => Promise.reject(new Error('nobody speaks')),
}

const score = async (planner: Planner, speed: number) => {
  const { spec } = session.robot
  const pace = new Pace(spec.rate, () => speed)
  const crew = { robot: session.robot, perception, policy: planner, pace }
  const { firstSeed } = config.evaluation
  const made = await evaluate(crew, config.tasks, {
    trials: Number(trials),
    firstSeed,
    draws: trialDraws(config, spec),
  })
  return Object.entries(scores(made))
    .map(([task, { successes, trials }]) => `${task} ${successes}/${trials}`)
    .join(', ')
}
console.log(`alone:          ${await score(policy, 1000)}`)
const since = performance.now()
console.log(`through openpi: ${await score(remote, Number(rate) / session.robot.spec.rate)}`)
const steps = took.length
const seconds = (performance.now() - since) / 1000
const at = (share: number) => took.sort((a, b) => a - b)[Math.floor(share * (steps - 1))]!.toFixed(1)
console.log(
  `${steps} answers, ${(steps / seconds).toFixed(2)} a second (resets among them); infer p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
)
relay.stdin.end()
await server.close()
await served.close()
await trained.close()
