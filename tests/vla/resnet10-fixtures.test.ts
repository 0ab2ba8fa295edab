/** @file ResNet-10 against the reference implementation: every tensor of the golden folder, from pixels to the bottleneck. */
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { resizeAntialiased } from '../../src/formats/resize.ts'
import { compile, constant, input, mean, reshape, slice, type Tensor, transpose } from '../../src/graph/index.ts'
import { block, dense, NORM_EPSILON, spatialEmbedding } from '../../src/nets/index.ts'
import { resnet10 } from '../../src/nets/resnet10.ts'
import { loadResNet10, type ResNetWeights } from '../../src/vla/resnet10/weights.ts'
import { describeSets } from '../fixture-sets.ts'
import { type Golden, readGolden, relativeError } from './golden/compare.ts'

const TOLERANCE = 5e-5

const channelsLast = (x: Tensor) => transpose(x, [0, 2, 3, 1])

/** What is trained on top, by our own layers. maps [B, h, w, C] are one camera. */
function head(golden: Record<string, Golden>, maps: Tensor): Record<string, Tensor> {
  const [batch, height, width, channels] = maps.shape as [number, number, number, number]
  const leaf = (name: string) => constant(golden[name]!.data, golden[name]!.shape)
  const spatial = leaf('SpatialLearnedEmbeddings_0/kernel')
  const parameters = {
    'spatial.kernel': reshape(transpose(spatial, [2, 0, 1, 3]), [1, channels, height * width, spatial.shape[3]!]),
    'bottleneck.dense.kernel': leaf('Dense_0/kernel'),
    'bottleneck.dense.bias': leaf('Dense_0/bias'),
    'bottleneck.norm.scale': leaf('LayerNorm_0/scale'),
    'bottleneck.norm.bias': leaf('LayerNorm_0/bias'),
  }
  const byCamera = reshape(transpose(maps, [0, 3, 1, 2]), [batch, 1, channels, height * width])
  const pooled = spatialEmbedding(parameters, byCamera)
  return {
    features: maps,
    pooled,
    pooled_avg: mean(maps, [1, 2]),
    bottleneck_pre: dense(parameters, 'bottleneck.dense', pooled),
    embedding: block(parameters, 'bottleneck', pooled, NORM_EPSILON),
  }
}

async function run(
  outputs: Record<string, Tensor>,
  pictures: ArrayLike<number>,
): Promise<Record<string, Float32Array>> {
  const program = await compile({ name: 'resnet10', outputs, threads: 1 })
  program.set('pictures', pictures)
  await program.run()
  const results = { ...program.outputs }
  await program.release()
  return results
}

describeSets('resnet10', async ({ folder }) => {
  const golden = await readGolden(join(folder, 'expected.safetensors'))
  const images = await readGolden(join(folder, 'inputs.safetensors'))
  const trained = await readGolden(join(folder, 'head.safetensors'))
  let computed: Record<string, Float32Array>
  let weights: ResNetWeights
  beforeAll(async () => {
    weights = await loadResNet10(join(folder, 'resnet10_params.pkl'))
    const { first, firstNorm, stem, inner, blocks } = resnet10(
      weights.parameters,
      weights.sizes,
      input('pictures', images.image!.shape),
    )
    const outputs: Record<string, Tensor> = {
      conv_init: slice(channelsLast(first), 0, 0, 1),
      norm_init: slice(channelsLast(firstNorm), 0, 0, 1),
      stem: channelsLast(stem),
      ...head(trained, channelsLast(blocks.at(-1)!)),
    }
    for (const [i, { convolution, projection }] of inner.entries()) {
      outputs[`block${i}.conv_0`] = channelsLast(convolution)
      if (projection) outputs[`block${i}.conv_proj`] = channelsLast(projection)
      outputs[`block${i}`] = channelsLast(blocks[i]!)
    }
    computed = await run(outputs, images.image!.data)
  })

  it.each(Object.keys(golden).filter((name) => !name.startsWith('resized')))('%s', (name) => {
    expect(relativeError(computed[name]!, golden[name]!)).toBeLessThan(TOLERANCE)
  })

  it.skipIf(!golden.resized)('resizes other pictures with antialiasing, and sees the same in them', async () => {
    const { shape, data } = images.image_other!
    const [count, height, width] = shape as [number, number, number]
    const [, newHeight, newWidth] = golden.resized!.shape as [number, number, number]
    const pixels = height * width * 3
    const resized = Array.from({ length: count }, (_, i) => {
      const image = { width, height, data: Uint8Array.from(data.subarray(i * pixels, (i + 1) * pixels)) }
      return Array.from(resizeAntialiased(image, newWidth, newHeight))
    }).flat()
    expect(relativeError(resized, golden.resized!)).toBeLessThan(TOLERANCE)
    const { blocks } = resnet10(weights.parameters, weights.sizes, input('pictures', golden.resized!.shape))
    const { features } = await run({ features: channelsLast(blocks.at(-1)!) }, resized)
    expect(relativeError(features!, golden['resized.features']!)).toBeLessThan(TOLERANCE)
  })
})
