/** @file Symbolic tensors, their gradients, and their compilation to onnxruntime. */

export { DEVICES, type Device, devicesHere, type Runtime, requireDevice } from './device.ts'
export { gradients } from './gradient.ts'
export { constant, input, type Storage, stored } from './leaves.ts'
export * from './ops.ts'
export type { AdamOptions } from './optimiser.ts'
export { type CompileOptions, compile, type Program } from './program.ts'
export { type GroupSpec, type Kind, ParameterStore } from './store.ts'
export { type DType, type Shape, Tensor, type TensorLike } from './tensor.ts'
