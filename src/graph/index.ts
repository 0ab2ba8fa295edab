/** @file Symbolic tensors, their gradients, and their compilation to onnxruntime. */

export { DEVICES, type Device, type Runtime, requireDevice } from './device.ts'
export {
  type FrozenProduct,
  fingerprint,
  frozenProducts,
  replaceProducts,
  type Substitute,
} from './frozen-products.ts'
export { gradients } from './gradient.ts'
export { halfProducts } from './half-products.ts'
export { constant, filled, input, type Storage, stored } from './leaves.ts'
export { type ModelFile, openModel, readAbout, writeModel } from './model-file.ts'
export * from './ops.ts'
export { compile, type Program } from './program.ts'
export { ParameterStore } from './store.ts'
export { Tensor, type TensorLike } from './tensor.ts'
