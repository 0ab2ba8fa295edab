/** @file Activations. Their gradients keep only the input or only the output alive and compute the rest again. */

import { toTensors } from '../leaves.ts'
import { apply, requireDType, type TensorLike, type TensorOperation } from '../tensor.ts'
import { add, exp, greater, mul, square, sub, where } from './elementwise.ts'

const activation = (name: string, onnx: string, vjp: TensorOperation['vjp']): TensorOperation => ({
  name,
  infer: (inputs) => ({ shape: inputs[0].shape, dtype: requireDType(name, inputs, 'f32') }),
  emit: (writer, inputs) => writer.add(onnx, inputs),
  vjp,
})

/** Constants of the tanh form of GELU (Hendrycks and Gimpel, arXiv 1606.08415 §2). */
const GELU_SCALE = Math.sqrt(2 / Math.PI)
const GELU_CUBIC = 0.044715

export const activations = {
  tanh: activation('tanh', 'Tanh', (node, g) => [mul(g, sub(1, square(node)))]),
  sigmoid: activation('sigmoid', 'Sigmoid', (node, g) => [mul(mul(g, node), sub(1, node))]),
  relu: activation('relu', 'Relu', (node, g) => [where(greater(node, 0), g, 0)]),
  erf: activation('erf', 'Erf', ({ inputs: [x] }, g) => [mul(g, mul(exp(mul(square(x), -1)), 2 / Math.sqrt(Math.PI)))]),
  gelu: activation('gelu', 'Gelu', ({ inputs: [x] }, g) => {
    // Phi(x) + x phi(x) = (1 + erf u + 2 / sqrt(pi) u exp(-u^2)) / 2,
    // with u = x / sqrt 2; its factor is in the exponent
    const u = mul(x, Math.SQRT1_2)
    const density = exp(sub(Math.log(2 / Math.sqrt(Math.PI)), square(u)))
    return [mul(g, mul(add(add(erf(u), mul(u, density)), 1), 0.5))]
  }),
  geluTanh: {
    ...activation('geluTanh', 'Gelu', ({ inputs: [x] }, g) => {
      // y = x (1 + t) / 2 with t = tanh(c (x + a x^3)), so y' = (1 + t + x (1 - t^2) c (1 + 3 a x^2)) / 2
      const squared = square(x)
      const t = tanh(mul(mul(x, add(mul(squared, GELU_CUBIC), 1)), GELU_SCALE))
      const inner = mul(add(mul(squared, 3 * GELU_CUBIC), 1), GELU_SCALE)
      return [mul(g, mul(add(add(t, 1), mul(mul(x, sub(1, square(t))), inner)), 0.5))]
    }),
    emit: (writer, inputs) => writer.add('Gelu', inputs, { approximate: 'tanh' }),
  } satisfies TensorOperation,
}

const activationFunction = (operation: TensorOperation) => (x: TensorLike) => apply(operation, toTensors(x))

export const tanh = activationFunction(activations.tanh)
export const sigmoid = activationFunction(activations.sigmoid)
/** max(x, 0); the gradient at 0 is 0. */
export const relu = activationFunction(activations.relu)
/** The Gauss error function. */
export const erf = activationFunction(activations.erf)
/** x * Phi(x) with the exact normal cumulative (erf form). */
export const gelu = activationFunction(activations.gelu)
/** x * Phi(x) with the normal cumulative approximated through tanh, as SigLIP, T5 v1.1 and Octo use it. */
export const geluTanh = activationFunction(activations.geluTanh)
