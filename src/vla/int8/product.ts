/** @file A product with frozen weights in int8, and the ways in which it may be computed. */
import {
  abs,
  add,
  div,
  type FrozenProduct,
  int8Matmul,
  max,
  maximum,
  mul,
  type Runtime,
  replaceProducts,
  type Substitute,
  stored,
  type Tensor,
} from '../../graph/index.ts'
import type { Int8Held, Int8Index, ProductWay } from './file.ts'

/** What is compiled: outputs by name. */
export type Traced = Runtime & { name: string; outputs: Record<string, Tensor> }

/** What the inputs of a program are, by name: one run. */
export type Sample = Readonly<Record<string, ArrayLike<number>>>

/** Where its codes lie, and what they are multiplied by. */
export type QuantisedPlace = Pick<Int8Index['products'][number], 'shape' | 'codes' | 'scales' | 'factors'>

export type FastWay = Exclude<ProductWay, 'f32'>
/** A way that a product may go; its error is the largest of a sample. */
export type TriedWay = QuantisedPlace & { way: FastWay; error: number }
export const tried = (way: TriedWay['way'], place: QuantisedPlace): TriedWay => ({ ...place, way, error: 0 })

/** Of one product, fastest first. */
export type Ways = [TriedWay, ...TriedWay[]]

export type Chosen = QuantisedPlace & { way: ProductWay; error: number }

const TINY = 1e-30 // a row of zeros

/** The outputs with products as the index has them. */
export function quantisedOutputs(
  outputs: Traced['outputs'],
  products: readonly FrozenProduct[],
  { path, index }: Pick<Int8Held, 'path'> & { index: Pick<Int8Index, 'products'> },
): Traced['outputs'] {
  const substitutes = new Map<Tensor, Substitute>()
  for (const [i, { product }] of products.entries()) {
    const place = index.products[i]!
    if (place.way !== 'f32') substitutes.set(product, substitute(path, place, place.way))
  }
  const replaced = replaceProducts(Object.values(outputs), substitutes)
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, replaced[i]!]))
}

export function substitute(path: string, { shape, codes, scales, factors }: QuantisedPlace, way: FastWay): Substitute {
  const weights = stored({ path, offset: codes, dtype: 'I8' }, shape)
  const sizes = stored({ path, offset: scales, dtype: 'F32' }, [shape[1]])
  if (way === 'tensor') return (x, bias) => int8Matmul(x, weights, sizes, bias)
  return (x, bias) => {
    const smooth = factors === undefined ? x : mul(x, stored({ path, offset: factors, dtype: 'F32' }, [shape[0]]))
    const largest = maximum(max(abs(smooth), -1, true), TINY)
    const product = mul(int8Matmul(div(smooth, largest), weights, sizes), largest)
    return bias ? add(product, bias) : product
  }
}
