import { describe, expect, it } from 'vitest'
import { parseMapping, type SetMappingInput, type SetMotion } from '../../../src/formats/lerobot/mapping.ts'
import { type NumberReader, poseIn, walk, wayOf } from '../../../src/formats/lerobot/motion.ts'
import type { JointChain } from '../../../src/robot/joint-chain.ts'
import { fromRotationVector, type Pose, type Quat, rotate, type Vec3 } from '../../../src/robot/rotation.ts'

const robot = { rate: 10, actionFrame: 'base' as const, actionScale: { translation: 0.02, rotation: 0.1 } }
const motionOf = (motion: SetMappingInput['motion'], base = {}) => parseMapping('test', { motion, base })
const times = (frames: number, fps: number) => Float64Array.from({ length: frames }, (_, frame) => frame / fps)
const constant =
  (...values: number[]): NumberReader =>
  () =>
    Float64Array.from(values)

/** Actions that a told motion becomes, as plain numbers. */
function actions(
  told: SetMappingInput['motion'],
  read: NumberReader,
  frames: number,
  fps: number,
  more: { base?: object; tools?: Pose[]; frame?: 'base' | 'tool'; oriented?: Quat } = {},
) {
  const { motion, base } = motionOf(told, more.base)
  const spec = { ...robot, actionFrame: more.frame ?? robot.actionFrame }
  const way = wayOf(motion as SetMotion, base, undefined, spec, read, times(frames, fps), 1 / fps, more.tools)
  const walked = walk(way, spec, more.oriented && (() => more.oriented!))
  return { ...walked, twists: walked.twists.map((twist) => Array.from(twist, (value) => Number(value.toFixed(4)))) }
}

const delta: SetMappingInput['motion'] = { kind: 'delta', position: 'action[0:3]' }
const aQuarter = fromRotationVector([0, 0, Math.PI / 2])

/** Where a vector of the tool points in the base frame. */
function turnedBy(
  as: Extract<SetMappingInput['motion'], { kind: 'pose' }>['as'],
  values: readonly number[],
  vector: Vec3,
): number[] {
  const { motion, base } = motionOf({ kind: 'pose', position: 'p', rotation: 'r', as, tells: 'state' })
  const read: NumberReader = (name) => Float64Array.from(name === 'p' ? [0, 0, 0] : values)
  const { rotation } = poseIn(motion as Extract<SetMotion, { kind: 'pose' }>, base, undefined, read, 0)
  return rotate(rotation, vector).map((value) => Number(value.toFixed(9)))
}

describe('the way of a tool, walked by a robot of 10 Hz', () => {
  it.each([
    [30, 9, 0.3], // three frames of 2 mm a step of at most 20 mm
    [15, 6, 0.15], // one and a half
    [10, 4, 0.1],
    [5, 3, 0.05],
  ])('adds up the steps of %i frames a second', (fps, frames, wanted) => {
    const { twists, clipped } = actions(delta, constant(0.002, 0, -0.002), frames, fps)
    expect(twists).toHaveLength(Math.ceil((10 * frames) / fps))
    for (const twist of twists) expect(twist).toEqual([wanted, 0, -wanted, 0, 0, 0, 0])
    expect(clipped).toBe(0)
  })

  it('makes up later for what one step cannot do, and says where it falls too far behind', () => {
    const jump =
      (length: number): NumberReader =>
      (_, frame) =>
        Float64Array.of(frame === 0 ? length : 0, 0, 0)
    const { twists, clipped } = actions(delta, jump(0.03), 3, 10)
    expect([twists.map(([x]) => x), clipped]).toEqual([[1, 0.5, 0], 1])
    expect(actions(delta, jump(0.23), 3, 10).tooFast).toBe('at 0.1 s the way is 11.5 steps of the robot ahead')
  })

  it('knows units: millimetres, degrees, the action scale itself', () => {
    const told = { ...delta, rotation: 'action[3:6]' } as const
    expect(actions({ ...told, unit: 'mm', turn: 'deg' }, constant(5, 0, 0), 1, 10).twists[0]).toEqual([
      0.25, 0, 0, 0.8727, 0, 0, 0,
    ])
    expect(actions({ ...told, unit: 'action', turn: 'action' }, constant(0.5, 0, 0), 1, 10).twists[0]).toEqual([
      0.5, 0, 0, 0.5, 0, 0, 0,
    ])
  })

  it('turns steps from the frame of the tool into that of the base, and back', () => {
    const tools: Pose[] = [{ position: [0, 0, 0], rotation: aQuarter }]
    expect(actions({ ...delta, frame: 'tool' }, constant(0.01, 0, 0), 1, 10, { tools }).twists[0]).toEqual([
      0, 0.5, 0, 0, 0, 0, 0,
    ])
    expect(actions(delta, constant(0, 0.01, 0), 1, 10, { tools, frame: 'tool', oriented: aQuarter }).twists[0]).toEqual(
      [0.5, 0, 0, 0, 0, 0, 0],
    )
  })

  it('knows a base that stands elsewhere, turned', () => {
    const { motion, base } = motionOf(
      { kind: 'pose', position: 'p', tells: 'state' },
      { offset: [1, 0, 0], turn: [0, 0, 90] },
    )
    const { position, rotation } = poseIn(
      motion as Extract<SetMotion, { kind: 'pose' }>,
      base,
      undefined,
      constant(0.2, 0, 0.1),
      0,
    )
    ;[1, 0.2, 0.1].forEach((value, axis) => {
      expect(position[axis]).toBeCloseTo(value, 12)
    })
    aQuarter.forEach((value, i) => {
      expect(rotation[i]).toBeCloseTo(value, 12)
    })
    expect(actions(delta, constant(0.01, 0, 0), 1, 10, { base: { turn: [0, 0, 90] } }).twists[0]).toEqual([
      0, 0.5, 0, 0, 0, 0, 0,
    ])
  })

  it('tells a target, which holds from its frame on, from a state, which holds at it', () => {
    const read: NumberReader = (_, frame) => Float64Array.of([0.1, 0.11, 0.11, 0.1][frame]!, 0, 0)
    const along = (tells: 'target' | 'state') =>
      actions({ kind: 'pose', position: 'p', tells }, read, 4, 10).twists.map(([x]) => x)
    expect(along('state')).toEqual([0.5, 0, -0.5])
    expect(along('target')).toEqual([0, 0.5, 0, -0.5])
  })

  it.each([
    ['rotation-vector', [0, 0, Math.PI / 2]],
    ['euler-xyz', [0, 0, Math.PI / 2]],
    ['quaternion-wxyz', [Math.SQRT1_2, 0, 0, Math.SQRT1_2]],
    ['quaternion-xyzw', [0, 0, Math.SQRT1_2, Math.SQRT1_2]],
  ] as const)('reads a rotation as %s', (as, values) => {
    const { motion, base } = motionOf({ kind: 'pose', position: 'p', rotation: 'r', as, tells: 'state' })
    const read: NumberReader = (name) => Float64Array.from(name === 'p' ? [0, 0, 0] : values)
    const { rotation } = poseIn(motion as Extract<SetMotion, { kind: 'pose' }>, base, undefined, read, 0)
    aQuarter.forEach((value, i) => {
      expect(rotation[i]).toBeCloseTo(value, 12)
    })
  })

  /** By hand: about x by a quarter, then about z by a quarter; x goes to y, y to z, z to x. */
  it.each([
    ['euler-xyz', [Math.PI / 2, 0, Math.PI / 2]],
    ['quaternion-wxyz', [0.5, 0.5, 0.5, 0.5]],
    ['quaternion-xyzw', [0.5, 0.5, 0.5, 0.5]],
    ['rotation-vector', [1, 1, 1].map((axis) => (axis * 2 * Math.PI) / 3 / Math.sqrt(3))],
  ] as const)('turns by a %s about all three axes in their order', (as, values) =>
    expect(turnedBy(as, values, [0.1, 0.2, 0.3])).toEqual([0.3, 0.1, 0.2]),
  )

  it.each([
    // about x by a quarter: y goes to z. About y: z goes to x
    ['quaternion-xyzw', [Math.SQRT1_2, 0, 0, Math.SQRT1_2], [0.1, -0.3, 0.2]],
    ['quaternion-xyzw', [0, Math.SQRT1_2, 0, Math.SQRT1_2], [0.3, 0.2, -0.1]],
    ['quaternion-wxyz', [Math.SQRT1_2, Math.SQRT1_2, 0, 0], [0.1, -0.3, 0.2]],
    ['quaternion-wxyz', [Math.SQRT1_2, 0, Math.SQRT1_2, 0], [0.3, 0.2, -0.1]],
    ['euler-xyz', [0, Math.PI / 2, Math.PI / 2], [-0.2, 0.3, -0.1]], // about y, then z
  ] as const)('knows which number of a %s is which axis: %j', (as, values, wanted) =>
    expect(turnedBy(as, values, [0.1, 0.2, 0.3])).toEqual(wanted),
  )

  it('turns what is told of a turn, too, from frame to frame', () => {
    const told = { ...delta, rotation: 'action[3:6]' } as const
    const turning: NumberReader = (name) => Float64Array.from(name === 'action[3:6]' ? [0.05, 0, 0] : [0, 0, 0])
    const tools: Pose[] = [{ position: [0, 0, 0], rotation: aQuarter }]
    expect(actions({ ...told, frame: 'tool' }, turning, 1, 10, { tools }).twists[0]).toEqual([0, 0, 0, 0, 0.5, 0, 0])
    expect(actions(told, turning, 1, 10, { tools, frame: 'tool', oriented: aQuarter }).twists[0]).toEqual([
      0, 0, 0, 0, -0.5, 0, 0,
    ])
    expect(actions(told, turning, 1, 10, { base: { turn: [0, 0, 90] } }).twists[0]).toEqual([0, 0, 0, 0, 0.5, 0, 0])
  })

  it('takes -100 to 100 for the range of a joint', () => {
    const seen: number[][] = []
    const chain: JointChain = {
      joints: ['a', 'b'],
      ranges: [
        [-2, 2],
        [0, 1],
      ],
      tool(angles) {
        seen.push(Array.from(angles))
        return { position: [0, 0, 0], rotation: [1, 0, 0, 0] }
      },
    }
    const { motion, base } = motionOf({ kind: 'joints', angles: 'action', unit: 'range', tells: 'state' })
    poseIn(motion as Extract<SetMotion, { kind: 'joints' }>, base, chain, constant(-100, 50), 0)
    const inDegrees = motionOf({ kind: 'joints', angles: 'action', unit: 'deg', tells: 'state' })
    poseIn(inDegrees.motion as Extract<SetMotion, { kind: 'joints' }>, base, chain, constant(180, -90), 0)
    expect(seen).toEqual([
      [-2, 0.75],
      [Math.PI, -Math.PI / 2],
    ])
  })
})
