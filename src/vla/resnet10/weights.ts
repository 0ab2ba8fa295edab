/** @file The published ResNet-10 (resnet10_params.pkl): found and checked without executing the pickle, then read. */

import { InputError } from '../../errors.ts'
import { openNumpyPickle } from '../../formats/numpy-pickle.ts'
import { requireTensors } from '../../formats/tensor-file.ts'
import { constant } from '../../graph/index.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { RESNET10, type ResNetSizes, resnetPlan } from '../../nets/resnet10.ts'

const REMEDY = 'Take resnet10_params.pkl from the releases of rail-berkeley/serl'

/** Layers of another ResNet. What else a file has (the classifier, heads of a finetune) nobody needs here. */
const LAYER = /^(?:ResNetBlock|conv_|norm_)/

export type ResNetWeights = { sizes: ResNetSizes; parameters: Parameters }

/** @throws InputError or ShapeError naming the tensor if the file is damaged, hostile or of another network */
export async function loadResNet10(path: string): Promise<ResNetWeights> {
  const file = await openNumpyPickle(path)
  try {
    const filters = file.tensors.get('conv_init/kernel')?.shape[3]
    if (filters === undefined) throw new InputError(path, 'has no tensor "conv_init/kernel" of four axes', REMEDY)
    const sizes = { ...RESNET10, filters }
    const plan = resnetPlan(sizes)
    const foreign = requireTensors(file, plan).find((name) => LAYER.test(name))
    if (foreign !== undefined) throw new InputError(`${path}, "${foreign}"`, 'is not part of a ResNet-10', REMEDY)
    const parameters: [string, Parameters[string]][] = []
    for (const [name, shape] of Object.entries(plan)) parameters.push([name, constant(await file.read(name), shape)])
    return { sizes, parameters: Object.fromEntries(parameters) }
  } finally {
    await file.close()
  }
}
