/** @file Poses, goals and ways of an arm behind a SERL server. Quaternions of SERL's own conversion and of scipy, as they computed them. */
import { describe, expect, it } from 'vitest'
import { distance, type Pose } from '../../../src/robot/rotation.ts'
import { isAtGoal } from '../../../src/robots/serl/goal.ts'
import { poseOfSeven, poseOfSix, type Six, sevenOf } from '../../../src/robots/serl/poses.ts'
import { angleTo, wayTo } from '../../../src/robots/serl/way.ts'

/** [angles, euler_2_quat of HIL-SERL, scipy's from_euler('xyz')], both xyzw */
const COMPUTED: [Six, number[], number[]][] = [
  [
    [0, 0, 0, Math.PI, 0, 0],
    [1, 0, 0, 0],
    [1, 0, 0, 0],
  ],
  [
    [0, 0, 0, Math.PI, 0.05, 0],
    [0.99968752, 0, 0.0249974, 0],
    [0.99968752, 0, -0.0249974, 0],
  ],
  [
    [0, 0, 0, 3, 0.2, -0.7],
    [0.92991685, -0.34696386, 0.06941141, 0.10026354],
    [0.9347599, -0.33369628, -0.11768032, 0.03196972],
  ],
  [
    [0, 0, 0, -2.9, -0.4, 1.2],
    [0.81650716, 0.52959598, -0.22945872, 0.01388696],
    [-0.78947185, -0.56911338, -0.09608934, 0.20883245],
  ],
]

describe('angles in a config', () => {
  it.each(COMPUTED)(
    '%j are the rotation that SERL makes of them where they are said to be its own, else plain ones',
    (six, serl, scipy) => {
      expect(angleTo(poseOfSix(six, 'serl'), poseOfSeven([0, 0, 0, ...serl]))).toBeLessThan(1e-7)
      expect(angleTo(poseOfSix(six, 'euler'), poseOfSeven([0, 0, 0, ...scipy]))).toBeLessThan(1e-7)
    },
  )

  it('go over the wire with the real part last', () => {
    const [, , , qx, qy, qz, qw] = sevenOf(poseOfSix([0.1, 0.2, 0.3, 3, 0.2, -0.7], 'euler'))
    expect([qx, qy, qz, qw].map((value) => Number(value!.toFixed(8)))).toEqual([
      0.9347599, -0.33369628, -0.11768032, 0.03196972,
    ])
  })
})

describe('a goal', () => {
  // scipy: from (2.9, 0.2, 0.6) the turn that is left to (3, -0.3, 1.2) is (-0.03430838, 0.59725041, -0.5285552)
  const pose = poseOfSix([0.5, 0, 0.2, 2.9, 0.2, 0.6], 'euler')
  const goal = (within: Six) => ({ pose: [0.504, -0.002, 0.2, 3, -0.3, 1.2] as Six, within })

  it('is reached where all six are nearer than their thresholds', () => {
    expect(isAtGoal(pose, goal([0.0041, 0.0021, 0.001, 0.0344, 0.5973, 0.5286]))).toBe(true)
  })

  it.each([0, 1, 3, 4, 5])('is not where number %i is further', (i) => {
    const within: [number, number, number, number, number, number] = [0.0041, 0.0021, 0.001, 0.0344, 0.5973, 0.5286]
    within[i] = [0.0039, 0.0019, 0, 0.0343, 0.5972, 0.5285][i]!
    expect(isAtGoal(pose, goal(within))).toBe(false)
  })
})

describe('a way', () => {
  const from: Pose = { position: [0.4, 0, 0.2], rotation: [0, 1, 0, 0] }
  const to: Pose = { position: [0.5, 0.05, 0.1], rotation: [0, Math.cos(0.3), Math.sin(0.3), 0] }

  it('goes no further in a period than the stride, and ends where it should', () => {
    for (const stride of [
      { translation: 0.02, rotation: 10 },
      { translation: 10, rotation: 0.05 },
    ]) {
      const way = wayTo(from, to, stride)
      expect(way.at(-1)).toBe(to)
      way.forEach((point, i) => {
        const before = way[i - 1] ?? from
        expect(distance(point, before)).toBeLessThan(stride.translation + 1e-9)
        expect(angleTo(point, before)).toBeLessThan(stride.rotation + 1e-9)
      })
    }
    expect(wayTo(from, to, { translation: 0.02, rotation: 10 })).toHaveLength(8) // 0.15 m by 0.02 m
    expect(wayTo(from, to, { translation: 10, rotation: 0.05 })).toHaveLength(12) // 0.6 rad by 0.05 rad
  })

  it('that leads nowhere is one point', () =>
    expect(wayTo(from, from, { translation: 0.01, rotation: 0.1 })).toEqual([from]))
})
