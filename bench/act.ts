/** @file (b) From an observation to an action: encoder, primary actor, refinement actor; one observation, one thread. */
import { actorSizes } from '../src/learn/actors.ts'
import { NetworkConfig } from '../src/learn/config.ts'
import { Policy } from '../src/learn/policy.ts'
import { RandomStream } from '../src/random/stream.ts'
import { ACTION_WIDTH } from '../src/robot/robot.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import { builtInCommandEncoder } from '../src/talk/embedding.ts'
import { NanoEncoder } from '../src/vla/nano/encoder.ts'
import { medianTime, rounded } from './measure.ts'

const ROUNDS = 200

export type ActFigures = {
  encodeMs: number
  primaryMs: number
  refinedMs: number // with a command
  actMs: number // encode and primary actor: what each 100 ms step spends
}

export async function benchAct(): Promise<ActFigures> {
  const workcell = await Workcell.create()
  const encoder = await NanoEncoder.load()
  const commands = builtInCommandEncoder()
  const { channels: names, tasks } = workcell.spec
  const sizes = actorSizes(NetworkConfig.parse({}), encoder.description, names.length, commands.width)
  const policy = await Policy.create(sizes, commands)
  const noise = new RandomStream(0, 'bench').fillNormal(new Float32Array(ACTION_WIDTH))
  const [task, { instruction }] = Object.entries(tasks)[0]!
  const { images, proprio } = await workcell.reset(task, 0)
  const encode = async () => {
    const { h, features } = (await encoder.encode([{ images, proprio, instruction }]))[0]!
    return { h, features: [features], proprio }
  }
  const seen = await encode()
  const times = {
    encodeMs: await medianTime(encode, ROUNDS),
    primaryMs: await medianTime(() => policy.primary(seen, noise), ROUNDS),
    refinedMs: await medianTime(() => policy.refined(seen, 'move right and forward', noise), ROUNDS),
    actMs: await medianTime(async () => policy.primary(await encode(), noise), ROUNDS),
  }
  await policy.release()
  await encoder.close()
  workcell.free()
  return {
    encodeMs: rounded(times.encodeMs),
    primaryMs: rounded(times.primaryMs),
    refinedMs: rounded(times.refinedMs),
    actMs: rounded(times.actMs),
  }
}
