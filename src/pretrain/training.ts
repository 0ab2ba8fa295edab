/** @file One training step of the nano encoder as a compiled program: behaviour cloning of play and the readings of places. */
import {
  add,
  compile,
  constant,
  div,
  input,
  mean,
  mul,
  ParameterStore,
  type Program,
  reshape,
  sqrt,
  square,
  sub,
  type Tensor,
} from '../graph/index.ts'
import { dense } from '../nets/layers.ts'
import { denseLayout, initialise, type Layout, shapesOf } from '../nets/parameters.ts'
import type { RandomStream } from '../random/stream.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { featureShapeOf, type NanoConfig, nanoEmbeddingWidth } from '../vla/nano/config.ts'
import { nano, nanoInputs, nanoLayout } from '../vla/nano/model.ts'
import { TARGET_UNITS, TARGET_WIDTH } from './targets.ts'

const ENCODER = 'encoder'
const HEADS = 'heads'
const ACTION_UNIT = 0.3 // an action error that counts 1
const WEIGHT = { action: 1, readout: 1, features: 0.5 }

/** Centre and spread of the targets over the training data; [TARGET_WIDTH] each. */
export type TargetStatistics = { mean: Float32Array; deviation: Float32Array }

export type TrainingStep = { store: ParameterStore; program: Program }

/** Linear heads, thrown away after training. The second reads the pooled features, so that places stay readable in them. */
function headLayout(config: NanoConfig): Layout {
  const features = featureShapeOf(config).reduce((a, b) => a * b, 1)
  return {
    ...denseLayout('action', nanoEmbeddingWidth(config), ACTION_WIDTH, { gain: 0.1 }),
    ...denseLayout('readout', config.width, TARGET_WIDTH, { gain: 0.1 }),
    ...denseLayout('features', features, TARGET_WIDTH, { gain: 0.1 }),
  }
}

/**
 * Compiles loss and gradients for batches of `batch`. Program inputs: image.<camera> [B, S, S, 3] as 0..255, proprio,
 * wordRows, wordShares, action [B, 7], target [B, TARGET_WIDTH] in metres and radians. Outputs: the loss and its parts.
 */
export async function compileTraining(
  config: NanoConfig,
  statistics: TargetStatistics,
  batch: number,
  threads: number,
  stream: RandomStream,
): Promise<TrainingStep> {
  const layouts = { [ENCODER]: nanoLayout(config), [HEADS]: headLayout(config) }
  const store = new ParameterStore(
    Object.fromEntries(
      Object.entries(layouts).map(([group, layout]) => [group, { tensors: shapesOf(layout), trained: true }]),
    ),
  )
  for (const [group, layout] of Object.entries(layouts)) initialise(layout, (name) => store.view(group, name), stream)

  const { readout, h, features } = nano(store.tensors(ENCODER), config, nanoInputs(config, batch))
  const heads = store.tensors(HEADS)
  const target = input('target', [batch, TARGET_WIDTH])
  const actionLoss = mean(
    pseudoHuber(div(sub(dense(heads, 'action', h), input('action', [batch, ACTION_WIDTH])), ACTION_UNIT)),
  )
  const readingLoss = (name: 'readout' | 'features', from: Tensor) => {
    const standard = dense(heads, name, from)
    const metres = add(mul(standard, constant(statistics.deviation)), constant(statistics.mean))
    return mean(pseudoHuber(mul(sub(metres, target), constant(TARGET_UNITS.map((unit) => 1 / unit)))))
  }
  const readoutLoss = readingLoss('readout', readout)
  const featureLoss = readingLoss('features', reshape(features, [batch, -1]))
  const loss = add(
    add(mul(actionLoss, WEIGHT.action), mul(readoutLoss, WEIGHT.readout)),
    mul(featureLoss, WEIGHT.features),
  )
  const program = await compile({
    name: 'nano-pretraining',
    outputs: { loss, actionLoss, readoutLoss, featureLoss },
    gradients: [
      { store, group: ENCODER, loss },
      { store, group: HEADS, loss },
    ],
    threads,
  })
  return { store, program }
}

/** sqrt(1 + e²) - 1: quadratic for small errors, linear for large ones. */
const pseudoHuber = (error: Tensor): Tensor => sub(sqrt(add(square(error), 1)), 1)

/** Encoder parameters by name, as trained so far. */
export const encoderValues = ({ store }: TrainingStep): Record<string, Float32Array> =>
  Object.fromEntries(Object.keys(store.shapes(ENCODER)).map((name) => [name, store.view(ENCODER, name)]))

/** Puts the encoder back to values that were trained earlier. */
export function setEncoderValues({ store }: TrainingStep, values: Record<string, Float32Array>): void {
  for (const [name, data] of Object.entries(values)) store.view(ENCODER, name).set(data)
}

/** Adam on encoder and heads, each clipped to norm 1. Returns the encoder's gradient norm. */
export function update({ store }: TrainingStep, learningRate: number): number {
  const options = { learningRate, beta2: 0.98, maxNorm: 1 }
  store.adam(HEADS, options)
  return store.adam(ENCODER, options).gradientNorm
}
