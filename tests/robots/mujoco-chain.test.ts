import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { mujocoChain } from '../../src/robots/mujoco-chain.ts'
import { posture } from '../../src/robots/so101/chain.ts'
import { ARM_JOINTS, JOINTS } from '../../src/robots/so101/joints.ts'

const xml = fileURLToPath(new URL('so101/so101.xml', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'duet-chain-'))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('the chain of a MuJoCo model', () => {
  it('brings the tool where the chain of an SO-101 does, in any order of joints', async () => {
    const angles = [0.3, -0.4, 0.5, 0.9, -1.2]
    const { tool } = posture(angles)
    const chain = await mujocoChain(xml, undefined, 'tool')
    expect(chain.joints).toEqual(JOINTS.slice(0, ARM_JOINTS))
    const found = chain.tool(angles)
    tool.position.forEach((value, axis) => {
      expect(found.position[axis]).toBeCloseTo(value, 9)
    })
    const same = Math.abs(tool.rotation.reduce((sum, value, i) => sum + value * found.rotation[i]!, 0))
    expect(same).toBeCloseTo(1, 9)
    const turned = await mujocoChain(xml, JOINTS.slice(0, ARM_JOINTS).toReversed(), undefined)
    expect(turned.tool(angles.toReversed()).position[0]).toBeCloseTo(tool.position[0], 9)
  })

  it('needs none of the meshes and materials that a model draws itself with, and follows what it includes', async () => {
    file(
      'arm.xml',
      '<mujoco><worldbody><body pos="0 0 1"><joint name="lift" axis="0 1 0" range="-1 2"/><geom type="mesh" mesh="link" material="grey"/><body name="hand" pos="0.5 0 0"/></body></worldbody></mujoco>',
    )
    const path = file(
      'scene.xml',
      '<mujoco model="scene"><compiler angle="radian"/><asset><mesh name="link" file="link.stl"/></asset><include file="arm.xml"/></mujoco>',
    )
    const { ranges, tool } = await mujocoChain(path, ['lift'], 'hand')
    expect(ranges).toEqual([[-1, 2]])
    const { position } = tool([Math.PI / 2])
    ;[0, 0, 0.5].forEach((value, axis) => {
      expect(position[axis]).toBeCloseTo(value, 9)
    })
  })

  it('reads a URDF', async () => {
    const link = (name: string) =>
      `<link name="${name}"><visual><geometry><mesh filename="package://x.stl"/></geometry></visual></link>`
    const joint =
      '<joint name="lift" type="revolute"><parent link="base"/><child link="arm"/><axis xyz="0 1 0"/><limit lower="-1" upper="1" effort="1" velocity="1"/></joint>'
    const fixed =
      '<joint name="end" type="fixed"><parent link="arm"/><child link="hand"/><origin xyz="0.5 0 0"/></joint>'
    const path = file(
      'arm.urdf',
      `<?xml version="1.0"?><robot name="arm">${['base', 'arm', 'hand'].map(link).join('')}${joint}${fixed}</robot>`,
    )
    const { position } = (await mujocoChain(path, undefined, 'hand')).tool([Math.PI / 2])
    ;[0, 0, -0.5].forEach((value, axis) => {
      expect(position[axis]).toBeCloseTo(value, 9)
    })
  })

  it.each([
    [['elbow'], undefined, /has no joint "elbow". It has: shoulder_pan, shoulder_lift/],
    [undefined, 'hand', /has no site or body "hand". It has: tool/],
  ] as const)('refuses %j, %s', async (joints, tool, message) =>
    expect(mujocoChain(xml, joints, tool)).rejects.toThrow(message),
  )

  it('refuses what is no model', async () => {
    await expect(mujocoChain(file('none.xml', '<mujoco><worldbody>'), undefined, undefined)).rejects.toThrow(
      /none\.xml: cannot be compiled/,
    )
    await expect(mujocoChain(join(folder, 'nowhere.xml'), undefined, undefined)).rejects.toThrow(
      /nowhere\.xml: failed to open/,
    )
  })
})
