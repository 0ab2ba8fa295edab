/** @file Where programs run, and what is said where a device is missing. */
import ort from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { deviceError } from '../../src/graph/device.ts'
import { compile, DEVICES, input, relu } from '../../src/graph/index.ts'

const absent = DEVICES.filter((device) => !ort.listSupportedBackends().some(({ name }) => name === device))

describe('a device', () => {
  it.each(absent)('that this build lacks (%s) is refused with those that there are', async (device) => {
    const program = compile({ name: 'test', outputs: { y: relu(input('x', [2])) }, device })
    await expect(program).rejects.toThrow(
      new RegExp(`^setting "device": is ${device}, which this build of onnxruntime lacks\\. There are: cpu`),
    )
  })

  it('that does not open is named with the reason and what it needs', () => {
    const cause = new Error('/src/a.cc:136 f(const T&)::<lambda()> x == y was false. No supported adapters\nmore')
    expect(deviceError('webgpu', 'octo', cause).message).toMatch(
      /^device webgpu: cannot run octo \(No supported adapters\)\. It needs a GPU with a driver for Vulkan.*take the CPU$/,
    )
  })

  it('cpu is the default and gives the same', async () => {
    const results: number[][] = []
    for (const device of [undefined, 'cpu'] as const) {
      const program = await compile({ name: 'test', outputs: { y: relu(input('x', [2])) }, device })
      program.set('x', [-1, 3])
      await program.run()
      results.push([...program.outputs.y!])
      await program.release()
    }
    expect(results).toEqual([
      [0, 3],
      [0, 3],
    ])
  })
})
