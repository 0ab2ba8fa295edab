/** @file The policy's actions in numbers: those of the head, the refinement actor and the noise actor in plain loops. */
import { describe, expect, it } from 'vitest'
import { type ActorSizes, actorLayouts, METHODS } from '../../src/learn/actors.ts'
import { NetworkConfig } from '../../src/learn/config.ts'
import { type ActorParameters, Policy } from '../../src/learn/policy.ts'
import { shapesOf } from '../../src/nets/index.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import { act, condition, drawNoise, Net, refine } from './reference/networks.ts'
import { plain } from './reference/tape.ts'

const commands = builtInCommandEncoder(4)
const sizesOf = (network: Partial<NetworkConfig>): ActorSizes => ({
  network: NetworkConfig.parse({ hidden: 6, proprioWidth: 4, spatialEmbeddings: 2, bottleneck: 5, ...network }),
  ...{ embedding: 4, proprio: 3, command: commands.width, cameras: 2, space: 3, channels: 2 },
})
const random = new RandomStream(2, 'acting')
const normal = (width: number) => random.fillNormal(new Float32Array(width))
const seen = { h: normal(4), features: [normal(12)], proprio: normal(3) }
const xi = normal(7)

/** [camera, place, channel], as an encoder leaves them, to [camera, channel, place]. */
const channelFirst = (maps: Float32Array) =>
  [0, 1].flatMap((camera) =>
    [0, 1].flatMap((channel) => [0, 1, 2].map((place) => maps[(camera * 3 + place) * 2 + channel]!)),
  )
const state = { h: [...seen.h], features: channelFirst(seen.features[0]!), proprio: [...seen.proprio] }

describe.each([
  ['as in the paper', {}],
  ['with past heads, on h, with a gain on the gripper', { sees: 'h', pastHeads: 2, gripperGain: 4 }],
] as const)('a policy %s', (_, network) => {
  const sizes = sizesOf(network)

  it.each(METHODS)('of %s acts as its networks say', async (method) => {
    const layouts = actorLayouts(sizes, method) as Record<string, Parameters<typeof shapesOf>[0]>
    const nets: Record<string, Net> = {}
    const parameters: Record<string, Float32Array> = {}
    for (const [group, layout] of Object.entries(layouts)) {
      const shapes = shapesOf(layout)
      const size = Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)
      parameters[group] = normal(size).map((x) => 0.7 * x)
      nets[group] = new Net(shapes, parameters[group])
    }
    const policy = await Policy.create(sizes, commands, method)
    policy.setParameters(parameters as ActorParameters)

    /** The mean over the heads; the gripper's entry is steepened, its noise is not. */
    const answer = (n: readonly number[]) => {
      const heads = Object.keys(nets).filter((name) => /^(head|past)/.test(name))
      const each = heads.map((head) => act(nets[head]!, n, condition(nets[head]!, state.h, state.proprio)).map(plain))
      const action = Array.from({ length: 7 }, (_, i) => each.reduce((sum, own) => sum + own[i]!, 0) / heads.length)
      return action.with(6, Math.min(1, Math.max(-1, sizes.network.gripperGain * action[6]!)))
    }
    const drawn = [...xi].with(6, xi[6]! / sizes.network.gripperGain)
    const noise = nets.noiseActor ? drawNoise(nets.noiseActor, state, drawn).n.map(plain) : drawn
    const expectAction = (got: ArrayLike<number>, want: readonly number[]) => {
      for (const [i, value] of want.entries()) expect(got[i], `entry ${i}`).toBeCloseTo(value, 5)
    }
    expectAction(await policy.primary(seen, xi), answer(noise))
    if (nets.refine)
      for (const command of ['move left', 'move right and up']) {
        const m = refine(nets.refine, state, [...commands.embed(command)]).map(plain)
        expectAction(await policy.refined(seen, command, xi), answer(drawn.map((x, i) => m[i]! + x)))
      }
    await policy.release()
  })
})
