/** @file The computation of a policy file: from what a robot tells, a noise and a command to an action, normalisers within. */
import { constant, gather, input, ParameterStore, rescale, reshape, type Tensor } from '../graph/index.ts'
import { type ActorSizes, actorLayouts, type MethodName } from '../learn/actors.ts'
import { NORMALISER_LIMIT, type Normaliser } from '../learn/normaliser.ts'
import { type ActorParameters, traceActors } from '../learn/policy.ts'
import { shapesOf } from '../nets/index.ts'
import { GRIPPER_ENTRY } from '../robot/gripper.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { nano, nanoLayout } from '../vla/nano/model.ts'
import type { NanoWeights } from '../vla/nano/weights.ts'
import { WordTokeniser } from '../vla/nano/words.ts'

export type PolicyNetwork = {
  method: MethodName
  sizes: ActorSizes
  parameters: ActorParameters
  normalisers: { h: Normaliser; proprio: Normaliser }
  commands: readonly Float32Array[] // the commands' embeddings
  /** Where it is in the file: its weights, and the instruction of each task. */
  encoder?: { weights: NanoWeights; instructions: readonly string[] }
}

/**
 * Inputs, all of one row: state [1, P] as the robot tells it; noise [1, 7], standard normal or zeros; command [1] i32, a row
 * of the command table. With the encoder inside image.<camera> [1, S, S, 3] from 0 to 255 and task [1] i32; else h [1, H]
 * as the encoder leaves it, and features where an actor looks at them.
 * Outputs: primary [1, 7], the action where nothing was said; refinement [1, 7], the action under the command; with the
 * encoder inside embedding [1, H].
 */
export function tracePolicy(network: PolicyNetwork): Record<string, Tensor> {
  const { method, sizes, parameters, normalisers, commands, encoder } = network
  const layouts = Object.entries(actorLayouts(sizes, method))
  const actors = new ParameterStore(
    Object.fromEntries(layouts.map(([group, of]) => [group, { tensors: shapesOf(of) }])),
  )
  for (const [group] of layouts) actors.flat(group).set(parameters[group as 'head']!)
  const state = input('state', [1, sizes.proprio])
  const { h, features } = encoder ? encoded(encoder, state) : given(sizes)
  const { gripperGain } = sizes.network
  const atGripper = (value: number) => Array.from({ length: ACTION_WIDTH }, (_, i) => (i === GRIPPER_ENTRY ? value : 1))
  const table = Float32Array.from(commands.flatMap((vector) => [...vector]))
  const { primary, refinement } = traceActors(sizes, method, actors, {
    h: normalised(h, normalisers.h),
    proprio: normalised(state, normalisers.proprio),
    features,
    xi: rescale(input('noise', [1, ACTION_WIDTH]), { scale: atGripper(gripperGain) }),
    command: gather(constant(table, [commands.length, sizes.command]), input('command', [1], 'i32')),
  })
  const executed = (action: Tensor) => rescale(action, { gain: atGripper(gripperGain), limit: 1 })
  return {
    primary: executed(primary),
    ...(refinement && { refinement: executed(refinement.action) }),
    ...(encoder && { embedding: h }),
  }
}

function normalised(x: Tensor, normaliser: Normaliser): Tensor {
  const { mean, deviation } = normaliser.save()
  return rescale(x, { shift: mean, scale: deviation, limit: NORMALISER_LIMIT })
}

const given = ({ embedding, cameras, space, channels }: ActorSizes) => ({
  h: input('h', [1, embedding]),
  features: input('features', [1, cameras, space, channels]),
})

function encoded({ weights, instructions }: NonNullable<PolicyNetwork['encoder']>, state: Tensor) {
  const { config, values } = weights
  const store = new ParameterStore({ encoder: { tensors: shapesOf(nanoLayout(config)) } })
  for (const [name, data] of Object.entries(values)) store.view('encoder', name).set(data)
  const tokeniser = new WordTokeniser(config)
  const told = instructions.map((instruction) => tokeniser.encode(instruction))
  const shape = [told.length, config.words]
  const task = input('task', [1], 'i32')
  const { h, features } = nano(store.tensors('encoder'), config, {
    images: config.cameras.map((camera) => input(`image.${camera}`, [1, config.imageSize, config.imageSize, 3])),
    proprio: state,
    wordRows: gather(constant(Int32Array.from(told.flatMap(({ rows }) => [...rows])), shape), task),
    wordShares: gather(constant(Float32Array.from(told.flatMap(({ shares }) => [...shares])), shape), task),
  })
  const [batch, cameras, height, width, channels] = features.shape as [number, number, number, number, number]
  return { h, features: reshape(features, [batch, cameras, height * width, channels]) }
}
