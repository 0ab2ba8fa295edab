/** @file Operations that change the gradient and not the value. */

import { ShapeError } from '../../errors.ts'
import { sameShape } from '../shapes.ts'
import { apply, type Tensor, type TensorOperation } from '../tensor.ts'

export const control = {
  stopGradient: {
    name: 'stopGradient',
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    emit: (writer, inputs) => writer.add('Identity', inputs),
    vjp: null,
  } satisfies TensorOperation,

  straightThrough: {
    name: 'straightThrough',
    infer: ([value, gradientOf]) => {
      if (!sameShape(value.shape, gradientOf.shape))
        throw new ShapeError(
          'straightThrough: value',
          value.shape,
          gradientOf.shape,
          'it takes the gradient of the other',
        )
      return { shape: value.shape, dtype: value.dtype }
    },
    emit: (writer, [value]) => writer.add('Identity', [value]),
    vjp: (_, g) => [undefined, g],
  } satisfies TensorOperation,
}

/** x, as a value without history. */
export const stopGradient = (x: Tensor): Tensor => apply(control.stopGradient, [x])

/** The value of `value` with the gradient of `gradientOf`. */
export const straightThrough = (value: Tensor, gradientOf: Tensor): Tensor =>
  apply(control.straightThrough, [value, gradientOf])
