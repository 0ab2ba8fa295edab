/** @file Which products have frozen weights, what stands in their place, and when two graphs count as the same. */
import { describe, expect, it } from 'vitest'
import { replaceProducts, type Substitute } from '../../src/graph/frozen-products.ts'
import {
  add,
  constant,
  fingerprint,
  frozenProducts,
  input,
  matmul,
  mul,
  type Storage,
  stored,
  swapLast,
} from '../../src/graph/index.ts'
import { operations } from '../../src/graph/ops.ts'
import type { Tensor } from '../../src/graph/tensor.ts'
import { topologicalOrder } from '../../src/graph/topology.ts'

const place = (path = '/a/weights', offset = 0): Storage => ({ path, offset, dtype: 'F32' })
const x = input('x', [8, 4])
const least = { weights: 8, rows: 8 }
const found = (y: Tensor) => frozenProducts([y], least).length

describe('a product with frozen weights', () => {
  it('is one whose weights come from a file, whatever is done to them first', () => {
    expect(found(matmul(x, stored(place(), [4, 3])))).toBe(1)
    expect(found(matmul(x, swapLast(mul(stored(place(), [3, 4]), 2))))).toBe(1)
  })

  it.each([
    ['constants alone', () => matmul(x, constant(new Float32Array(12), [4, 3]))],
    ['an input', () => matmul(x, mul(stored(place(), [4, 3]), input('y', [1])))],
    ['a file on both sides', () => matmul(stored(place(), [8, 4]), stored(place(), [4, 3]))],
    ['too few weights', () => matmul(x, stored(place(), [4, 1]))],
    ['few rows', () => matmul(input('z', [7, 4]), stored(place(), [4, 3]))],
    ['a stack of matrices', () => matmul(input('z', [2, 8, 4]), stored(place(), [2, 4, 3]))],
  ])('is none of %s', (_, make) => expect(found(make())).toBe(0))
})

describe('a substitute', () => {
  const product = matmul(x, stored(place(), [4, 3]))
  const bias = constant([1, 2, 3])
  const instead: Substitute = (_, given) => input(given ? 'instead and bias' : 'instead', [8, 3])
  const replaced = (...outputs: Tensor[]) => {
    const by = new Map([[product, instead]])
    const order = topologicalOrder(replaceProducts(outputs, by))
    return {
      products: order.filter(({ operation }) => operation === operations.matmul).length,
      names: order.flatMap(({ attributes }) => (attributes.name as string) ?? []),
    }
  }

  it('stands in the place of the product, which is gone', () =>
    expect(replaced(mul(product, 2))).toEqual({ products: 0, names: ['instead'] }))

  it('takes the bias that is added to the product, on either side', () => {
    expect(replaced(add(product, bias)).names).toEqual(['instead and bias'])
    expect(replaced(add(bias, product)).names).toEqual(['instead and bias'])
  })

  it('leaves the bias where others read the product, or where it is no bias', () => {
    expect(replaced(add(product, bias), product).names).toEqual(['instead'])
    expect(replaced(add(product, constant(new Float32Array(24), [8, 3]))).names).toEqual(['instead'])
  })
})

describe('the fingerprint of a graph', () => {
  const of = (storage: Storage, factor = 2, shape: [number, number] = [4, 3]) =>
    fingerprint([mul(matmul(x, stored(storage, shape)), factor)])

  it('is the same wherever the file lies', () => expect(of(place('/a'))).toBe(of(place('/b'))))

  it('is another of other weights of the file, constants, shapes and outputs', () => {
    const all = [of(place()), of(place('/a', 4)), of(place(), 3), of(place(), 2, [4, 5])]
    const product = matmul(x, stored(place(), [4, 3]))
    all.push(fingerprint([product, mul(product, 2)]), fingerprint([mul(product, 2), product]))
    expect(new Set(all).size).toBe(all.length)
  })
})
