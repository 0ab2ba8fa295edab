/** @file The learner step that the bench times: its sizes and one random batch, the same for every implementation. */
import type { RandomStream } from '../src/random/stream.ts'

export type BenchSizes = {
  tasks: number
  batch: number // per task
  cameras: number
  gridHeight: number
  gridWidth: number
  channels: number
  blocks: number // learned spatial embeddings per channel
  bottleneck: number
  members: number
  hidden: number
  projection: number // width of the proprio and action blocks
  embedding: number // of h
  proprio: number
  action: number
}

/** Two feature maps of a frozen ResNet-18-like trunk, 3 tasks of 85 samples, a critic of about 8 M parameters. */
export const SIZES: BenchSizes = {
  tasks: 3,
  batch: 85,
  cameras: 2,
  gridHeight: 4,
  gridWidth: 4,
  channels: 512,
  blocks: 8,
  bottleneck: 256,
  members: 2,
  hidden: 256,
  projection: 64,
  embedding: 256,
  proprio: 19,
  action: 7,
}

/** Flat float32 arrays, row-major, in the layout that each name's comment gives. */
export type BenchBatch = {
  h: Float32Array // [tasks, batch, embedding]
  nextH: Float32Array
  features: Float32Array // [tasks, batch, cameras, height, width, channels]
  nextFeatures: Float32Array
  proprio: Float32Array // [tasks, batch, proprio]
  nextProprio: Float32Array
  action: Float32Array // [tasks, batch, action] in [-1, 1]
  reward: Float32Array // [tasks, batch]
  notTerminated: Float32Array // [tasks, batch]
  noise: Float32Array // [tasks, batch, action] standard normal, of the actor's value term
  nextNoise: Float32Array // of the next action
  reconstructionNoise: Float32Array // of the cloning term
  sigmaIndex: Int32Array // [tasks, batch] schedule index of the cloning term, 0..38
}

/** Features are non-negative, as after a ReLU; everything else is what a learner sees. */
export function randomBatch(sizes: BenchSizes, stream: RandomStream): BenchBatch {
  const { tasks, batch } = sizes
  const map = sizes.cameras * sizes.gridHeight * sizes.gridWidth * sizes.channels
  const normal = (width: number) => stream.fillNormal(new Float32Array(tasks * batch * width))
  const features = () => normal(map).map(Math.abs)
  const rare = (probability: number) =>
    Float32Array.from({ length: tasks * batch }, () => Number(stream.uniform() < probability))
  return {
    h: normal(sizes.embedding),
    nextH: normal(sizes.embedding),
    features: features(),
    nextFeatures: features(),
    proprio: normal(sizes.proprio),
    nextProprio: normal(sizes.proprio),
    action: stream.fillUniform(new Float32Array(tasks * batch * sizes.action), -1, 1),
    reward: rare(0.05),
    notTerminated: rare(0.05).map((end) => 1 - end),
    noise: normal(sizes.action),
    nextNoise: normal(sizes.action),
    reconstructionNoise: normal(sizes.action),
    sigmaIndex: Int32Array.from({ length: tasks * batch }, () => stream.integer(39)),
  }
}
