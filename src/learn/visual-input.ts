/**
 * @file What critics, refinement actor and noise actor know of a state's images: the encoder's feature maps, pooled by
 * learned spatial embeddings of their own, as in the paper; or its embedding h, which costs a fraction of that.
 */
import { reshape, type Tensor } from '../graph/index.ts'
import { type Layout, type Parameters, pooledFeatures, spatialLayout } from '../nets/index.ts'
import type { ActorSizes } from './actors.ts'

/** features [...rows, camera, channel, space], h [...rows, H]. A step that does not look at one of them does not fill it. */
export type Seen = { features: Tensor; h: Tensor }

/** Parameters of the pooling, none where h is read. `owners` is [task] for the critics. */
export function visualLayout(
  { network, cameras, channels, space }: ActorSizes,
  owners: readonly number[] = [],
): Layout {
  if (network.sees === 'h') return {}
  const { spatialEmbeddings: embeddings, bottleneck } = network
  return spatialLayout({ cameras, channels, space, embeddings, bottleneck }, owners)
}

export const visualWidth = ({ network, embedding }: ActorSizes): number =>
  network.sees === 'h' ? embedding : network.bottleneck

/** [...rows, width]; rows lead with the task where the parameters do. */
export function visualInput({ network }: ActorSizes, parameters: Parameters, { features, h }: Seen): Tensor {
  if (network.sees === 'h') return h
  const owners = 'spatial.kernel' in parameters ? parameters['spatial.kernel']!.rank - 4 : 0
  const rows = h.shape.slice(0, -1)
  const flat = owners > 0 ? features : reshape(features, [-1, ...features.shape.slice(-3)])
  const pooled = pooledFeatures(parameters, flat)
  return owners > 0 ? pooled : reshape(pooled, [...rows, -1])
}
