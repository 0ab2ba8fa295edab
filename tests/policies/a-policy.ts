/** @file A policy of random actors on the shipped encoder, for the workcell: nothing has to be trained to export it. */
import { type ActorSizes, actorLayouts, actorSizes, type MethodName } from '../../src/learn/actors.ts'
import { NetworkConfig } from '../../src/learn/config.ts'
import { Normaliser } from '../../src/learn/normaliser.ts'
import type { ActorParameters } from '../../src/learn/policy.ts'
import { aboutRobot, type PolicyAbout } from '../../src/policies/about.ts'
import type { PolicyNetwork } from '../../src/policies/network.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { describeRobot } from '../../src/robots/index.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import { allCommands } from '../../src/talk/vocabulary.ts'
import { NanoEncoder } from '../../src/vla/nano/encoder.ts'
import { loadNano, NANO_FOLDER } from '../../src/vla/nano/weights.ts'

export const config = resolveConfig('tiny', undefined, [{ robot: { arm: 'gantry' } }])
export const spec = describeRobot(config.robot, 'A')
export const commands = builtInCommandEncoder()

export async function aPolicy(network: Partial<NetworkConfig> = {}, method: MethodName = 'dual', inside = true) {
  const random = new RandomStream(3, 'a policy')
  const weights = await loadNano(NANO_FOLDER)
  const encoder = new NanoEncoder(weights, { threads: 1 })
  const { description } = encoder
  const sizes: ActorSizes = actorSizes(
    NetworkConfig.parse({ hidden: 16, proprioWidth: 8, spatialEmbeddings: 2, bottleneck: 12, ...network }),
    description,
    spec.channels.length,
    commands.width,
  )
  const layouts = Object.entries(actorLayouts(sizes, method))
  const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
  const parameters = Object.fromEntries(
    layouts.map(([group, layout]) => {
      const size = Object.values(layout).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
      return [group, random.fillNormal(new Float32Array(size), 0.2)]
    }),
  ) as ActorParameters
  const spread = (width: number) => ({
    mean: Array.from({ length: width }, () => random.normal()),
    deviation: Array.from({ length: width }, () => 0.3 + Math.abs(random.normal())),
  })
  const normalisers = {
    h: new Normaliser(spread(description.embeddingWidth)),
    proprio: new Normaliser(spread(spec.channels.length)),
  }
  const said = allCommands()
  const tasks = config.tasks.map((name) => ({ name, instruction: spec.tasks[name]!.instruction }))
  const exported: PolicyNetwork = {
    method,
    sizes,
    parameters,
    normalisers,
    commands: said.map((command) => commands.embed(command)),
    ...(inside && { encoder: { weights, instructions: tasks.map(({ instruction }) => instruction) } }),
  }
  const { name, hash, licence, source, embeddingWidth } = description
  const about: PolicyAbout = {
    format: 1,
    duet: '0.0.0',
    run: 'made up',
    checkpoint: 'step-0',
    method,
    robot: aboutRobot(spec, weights.config.cameras),
    tasks,
    commands: said,
    encoder: { name, hash, licence, source, embeddingWidth, inside },
    noise: 0.5,
    trained: {
      robotMinutes: 30,
      interventionShare: 0.11,
      tasks: { pick: { step0: 0.84, success: 1, trials: 25, interval: [0.87, 1] } },
    },
    settings: { ...config },
  }
  return { network: exported, about, encoder, sizes, parameters, normalisers, method }
}

/** What the robot might tell: noise for pictures, readings near what it can read. */
export function anObservation(seed: number) {
  const random = new RandomStream(seed, 'an observation')
  const picture = () => ({
    width: 128,
    height: 128,
    data: Uint8Array.from({ length: 3 * 128 * 128 }, () => random.integer(256)),
  })
  return {
    images: { front: picture(), wrist: picture() },
    proprio: random.fillNormal(new Float32Array(spec.channels.length), 0.3),
    time: seed,
  }
}
