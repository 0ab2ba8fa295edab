/** @file Products in half precision: which casts a model has, and what they round. The numbers of a GPU are measured where there is one. */
import { describe, expect, it } from 'vitest'
import { FROM_HALF, toHalf } from '../../src/float16.ts'
import { halfProducts } from '../../src/graph/half-products.ts'
import { add, compile, constant, convolution, input, matmul, type Tensor, tanh } from '../../src/graph/index.ts'
import { ModelProto } from '../../src/graph/onnx/schema.ts'

type Node = { opType: string; input: string[]; output: string[]; attribute: { name: string; i: unknown }[] }

async function compiled(y: Tensor) {
  const [halved] = halfProducts([y])
  const program = await compile({ name: 'halves', outputs: { y: halved! }, threads: 1 })
  const { graph } = ModelProto.decode(program.onnx) as unknown as { graph: { node: Node[] } }
  return { program, nodes: graph.node }
}

/** TensorProto.DataType, from the standard. */
const [FLOAT, FLOAT16] = [1, 10]
const castTo = ({ opType, attribute }: Node) => (opType === 'Cast' ? Number(attribute[0]!.i) : undefined)

describe('products in half precision', () => {
  const x = input('x', [2, 3])
  const weights = constant([1 / 3, -2, 5, 0.1, 4, 1], [3, 2])
  const kernel = constant([1, 0.3, -1, 2], [1, 1, 2, 2])
  const images = input('images', [1, 1, 3, 3])

  it.each([
    ['MatMul', () => tanh(add(matmul(x, weights), 1))],
    ['Conv', () => tanh(convolution(images, kernel))],
  ])('take halves and are widened at once: %s', async (opType, make) => {
    const { program, nodes } = await compiled(make())
    const product = nodes.find((node) => node.opType === opType)!
    const madeBy = (name: string) => nodes.find(({ output }) => output.includes(name))!
    expect(product.input.map((name) => castTo(madeBy(name)))).toEqual([FLOAT16, FLOAT16])
    const users = nodes.filter((node) => node.input.includes(product.output[0]!))
    expect(users.map(castTo)).toEqual([FLOAT])
    expect(nodes.filter((node) => castTo(node) !== undefined)).toHaveLength(3) // nothing else is rounded
    await program.release()
  })

  it('have weights that are rounded to eleven bits, when the session opens', async () => {
    const { program } = await compiled(matmul(x, weights))
    program.set('x', [1, 0, 0, 0, 1, 0]) // picks rows, so that nothing but the weights is rounded
    await program.run()
    const wanted = [1 / 3, -2, 5, 0.1].map((value) => FROM_HALF[toHalf(value)]!)
    expect([...program.outputs.y!]).toEqual(wanted)
    expect(wanted[0]).not.toBe(Math.fround(1 / 3))
    await program.release()
  })
})
