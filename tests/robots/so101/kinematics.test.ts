/** @file The chain of an SO-101 against MuJoCo, and what five joints make of a twist of six. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import loadMujoco from '@mujoco/mujoco'
import { describe, expect, it } from 'vitest'
import { RandomStream } from '../../../src/random/stream.ts'
import { moved, rotationBetween } from '../../../src/robot/rotation.ts'
import { BUILT_RANGES, posture } from '../../../src/robots/so101/chain.ts'
import { solve, twistBetween } from '../../../src/robots/so101/kinematics.ts'

const xml = readFileSync(fileURLToPath(new URL('so101.xml', import.meta.url)), 'utf8')
const READY = [0, -0.44, 0.35, 1.22, 0]
const shift = (x: number, y: number, z: number) => moved(posture(READY).tool, [x, y, z, 0, 0, 0])

describe('the posture', () => {
  it('has the tool where MuJoCo has it, turned as there', async () => {
    const mujoco = await loadMujoco()
    const model = mujoco.MjModel.from_xml_string(xml)
    const data = new mujoco.MjData(model)
    const random = new RandomStream(1, 'postures')
    try {
      for (let i = 0; i < 50; i++) {
        const angles = BUILT_RANGES.map(([low, high]) => low + (high - low) * random.uniform())
        data.qpos.set(angles)
        mujoco.mj_forward(model, data)
        const { position, rotation } = posture(angles).tool
        for (const axis of [0, 1, 2]) expect(position[axis]).toBeCloseTo(data.site_xpos[axis]!, 9)
        const [w, x, y, z] = rotation
        expect(1 - 2 * (y * y + z * z)).toBeCloseTo(data.site_xmat[0]!, 9)
        expect(2 * (x * y - w * z)).toBeCloseTo(data.site_xmat[1]!, 9)
        expect(2 * (x * z - w * y)).toBeCloseTo(data.site_xmat[6]!, 9)
        expect(1 - 2 * (x * x + y * y)).toBeCloseTo(data.site_xmat[8]!, 9)
      }
    } finally {
      data.delete()
      model.delete()
    }
  })

  it('points ahead with all joints in their middle, and to the right for a positive pan', () => {
    const ahead = posture([0, 0, 0, 0, 0]).tool.position
    expect(ahead[0]).toBeCloseTo(0.3914, 3)
    expect(Math.abs(ahead[1])).toBeLessThan(1e-4)
    expect(posture([0.3, 0, 0, 0, 0]).tool.position[1]).toBeLessThan(-0.09)
  })
})

describe('the way back to joints', () => {
  it.each([
    ['ahead', [0.01, 0, 0]],
    ['aside', [0, 0.01, 0]],
    ['up', [0, 0, 0.01]],
    ['on a diagonal', [-0.01, 0.01, -0.01]],
  ] as const)('brings the tool %s to the micrometre, whatever the wrist has to give for it', (_, [x, y, z]) => {
    const { angles, missed } = solve(shift(x, y, z), READY)
    expect(missed).toBeLessThan(1e-6)
    const reached = posture(angles).tool.position
    expect(Math.hypot(...reached.map((value, i) => value - shift(x, y, z).position[i]!))).toBeLessThan(1e-6)
  })

  it('keeps the orientation where the wrist can: ahead and up', () => {
    for (const target of [shift(0.01, 0, 0), shift(0, 0, 0.01)]) {
      const { tool } = solve(target, READY)
      expect(Math.hypot(...rotationBetween(posture(READY).tool.rotation, tool.rotation))).toBeLessThan(1e-4)
    }
  })

  it('does the rotations that the wrist can do, in place', () => {
    const before = posture(READY).tool
    const pitched = twistBetween(before, solve(moved(before, [0, 0, 0, 0, 0.1, 0]), READY).tool)
    expect(pitched[4]).toBeCloseTo(0.1, 4)
    expect(Math.hypot(...pitched.slice(0, 3))).toBeLessThan(1e-6)
    const down = [0, -0.3, 0.3, Math.PI / 2, 0] // the gripper points straight down: its roll is a yaw
    const yawed = twistBetween(posture(down).tool, solve(moved(posture(down).tool, [0, 0, 0, 0, 0, 0.1]), down).tool)
    expect(yawed[5]).toBeCloseTo(0.1, 3)
  })

  it('says how much it missed by out of reach, and goes as near as it can', () => {
    const stretched = [0, 0.2, -0.2, 0, 0]
    const { position, rotation } = posture(stretched).tool
    const far = { position: [position[0] + 0.3, position[1], position[2]] as [number, number, number], rotation }
    const { missed, tool } = solve(far, stretched)
    expect(missed).toBeGreaterThan(0.2)
    expect(missed).toBeCloseTo(Math.hypot(...tool.position.map((value, i) => value - far.position[i]!)), 12)
    expect(missed).toBeLessThan(0.3) // where it stood it was 0.3 m away
  })

  it('never leaves the ranges, and lets a joint that stands beyond come back only', () => {
    const ranges = BUILT_RANGES.map(([low, high], j) => (j === 3 ? ([low, 1.25] as const) : ([low, high] as const)))
    const held = solve(shift(-0.05, 0, 0.05), READY, ranges).angles
    expect(held[3]).toBeLessThanOrEqual(1.25)
    const beyond = [0, -0.44, 0.35, 1.3, 0]
    const { angles } = solve(moved(posture(beyond).tool, [0, 0, 0.01, 0, 0, 0]), beyond, ranges)
    expect(angles[3]).toBeLessThanOrEqual(1.3)
  })
})
