/** @file Any encoder's task embedding h beside the visual features of ResNet-10, for critics and refinement actor. */
import { resizeAntialiased } from '../../formats/resize.ts'
import { compile, input, type Program, type Runtime, reshape, transpose } from '../../graph/index.ts'
import { resnet10 } from '../../nets/resnet10.ts'
import type { Image } from '../../robot/robot.ts'
import { imageOf } from '../cameras.ts'
import type { EncoderDescription, EncoderInput, Encoding, VlaEncoder } from '../encoder.ts'
import { fileHash } from '../files.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import { loadResNet10, type ResNetWeights } from './weights.ts'

/** Pixels a side: what the weights were trained on (HIL-SERL). */
const SIZE = 128

/** Halvings of the picture up to the map before pooling. */
const SHRINK = 32

export type ResNetOptions = Runtime & {
  path: string // of resnet10_params.pkl
  size?: number // pixels a side, a multiple of 32
}

export class ResNetEncoder implements VlaEncoder {
  /** Takes `inner` over, and closes it if the file cannot be used. @throws InputError or ShapeError naming the tensor */
  static async load(inner: VlaEncoder, { path, size = SIZE, ...runtime }: ResNetOptions): Promise<ResNetEncoder> {
    try {
      const weights = await loadResNet10(path)
      const program = await compileResNet(weights, size, runtime)
      const side = size / SHRINK
      const { description } = inner
      return new ResNetEncoder(inner, program, size, {
        ...description,
        name: `${description.name} + resnet10`,
        featureShape: [description.cameras.length, side, side, 8 * weights.sizes.filters],
        licence: `${description.licence}; ResNet-10: Apache-2.0`,
        source: `${description.source}; ResNet-10 of HIL-SERL, ${path}`,
        hash: `${description.hash}+${await fileHash(path)}`,
      })
    } catch (error) {
      await inner.close()
      throw error
    }
  }

  private readonly runs = new OneAtATime()

  private constructor(
    private readonly inner: VlaEncoder,
    private readonly program: Program,
    private readonly size: number,
    readonly description: EncoderDescription,
  ) {}

  async encode(inputs: readonly EncoderInput[]): Promise<Encoding[]> {
    const embedded = await this.inner.encode(inputs)
    return this.runs.run(async () => {
      const encodings: Encoding[] = []
      for (const [i, { images }] of inputs.entries())
        encodings.push({ h: embedded[i]!.h, features: await this.featuresOf(images) })
      return encodings
    })
  }

  async close(): Promise<void> {
    await this.runs.idle()
    await Promise.all([this.program.release(), this.inner.close()])
  }

  /** The maps of all cameras one after the other. */
  private async featuresOf(images: Readonly<Record<string, Image>>): Promise<Float32Array> {
    const { cameras, featureShape } = this.description
    const length = featureShape.slice(1).reduce((a, b) => a * b)
    const features = new Float32Array(cameras.length * length)
    for (const [which, camera] of cameras.entries()) {
      const image = imageOf(images, camera, 'resnet10')
      const fits = image.width === this.size && image.height === this.size
      this.program.set('picture', fits ? image.data : resizeAntialiased(image, this.size, this.size))
      await this.program.run()
      features.set(this.program.outputs.map!, which * length)
    }
    return features
  }
}

function compileResNet({ parameters, sizes }: ResNetWeights, size: number, runtime: Runtime): Promise<Program> {
  const { blocks } = resnet10(parameters, sizes, input('picture', [1, size, size, 3]))
  const map = transpose(blocks.at(-1)!, [0, 2, 3, 1])
  return compile({ name: 'resnet10', outputs: { map: reshape(map, map.shape.slice(1)) }, ...runtime })
}
