/** @file How the arm moves: kinematics against hand-worked poses, the target's leash and box, lag, forces. */
import type { MainModule } from '@mujoco/mujoco'
import { describe, expect, it } from 'vitest'
import { eulerOf } from '../../../src/robot/rotation.ts'
import { inverseKinematics } from '../../../src/robots/workcell/kinematics.ts'
import { HOME_ROTATION } from '../../../src/robots/workcell/layout.ts'
import { DEFAULT_OPTIONS } from '../../../src/robots/workcell/options.ts'
import {
  conjugate,
  fromRotationVector,
  IDENTITY,
  multiply,
  rotationVector,
} from '../../../src/robots/workcell/spatial.ts'
import { Target } from '../../../src/robots/workcell/target.ts'
import type { Pose, Vec3 } from '../../../src/robots/workcell/truth.ts'
import { length, rotate, subtract } from '../../../src/robots/workcell/vector.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'
import { World } from '../../../src/robots/workcell/world.ts'

const action = (values: Partial<Record<number, number>>) => Float32Array.from({ length: 7 }, (_, i) => values[i] ?? 0)

const expectVector = (got: Vec3, expected: Vec3, digits: number) => {
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, digits)
  })
}

describe('kinematics of the arm', () => {
  // Worked by hand from the public frames: 0.333 to the shoulder, 0.316 up and 0.0825 forward to the elbow, 0.0825 back and
  // 0.384 on to the wrist, 0.088 across and 0.107 + 0.1034 down to the tool.
  it.each([
    { name: 'stretched up', q: [0, 0, 0, 0, 0, 0, 0], tool: [0.088, 0, 0.8226] },
    { name: 'elbow bent by a right angle', q: [0, 0, 0, -Math.PI / 2, 0, Math.PI / 2, 0], tool: [0.5545, 0, 0.5211] },
    {
      name: 'the same, base turned left',
      q: [Math.PI / 2, 0, 0, -Math.PI / 2, 0, Math.PI / 2, 0],
      tool: [0, 0.5545, 0.5211],
    },
  ])('puts the tool where geometry says: $name', async ({ q, tool }) => {
    const world = await World.create(DEFAULT_OPTIONS)
    world.views.qpos.set(q)
    world.refresh()
    expectVector(world.tcp().position, tool as Vec3, 6)
    expectVector(rotate(world.tcp().rotation, [0, 0, 1]), [0, 0, -1], 6)
    world.free()
  })

  it('is inverted within 0.1 micrometres and refuses what is out of reach', async () => {
    const world = await World.create(DEFAULT_OPTIONS)
    const home = [0, 0.05, 0, -2.35, 0, 2.4, -0.785]
    for (const [x, y, z, roll] of [
      [0.5, 0, 0.18, 0],
      [0.4, 0.12, 0.07, 0.9],
      [0.6, -0.12, 0.1, -0.2],
    ]) {
      world.views.qpos.set(home)
      const rotation = multiply(fromRotationVector([roll!, 0, 0]), HOME_ROTATION)
      inverseKinematics(world, { position: [x!, y!, z!], rotation })
      world.refresh()
      expect(length(subtract(world.tcp().position, [x!, y!, z!]))).toBeLessThan(1e-7)
      expect(length(rotationVector(multiply(world.tcp().rotation, conjugate(rotation))))).toBeLessThan(1e-7)
    }
    expect(() => inverseKinematics(world, { position: [1.5, 0, 0.2], rotation: HOME_ROTATION })).toThrow(
      'no joint posture reaches the tool pose at (1.500, 0.000, 0.200) m',
    )
    world.free()
  })

  it.each(['panda', 'gantry'] as const)('has the Jacobian that MuJoCo gives, to the bit: %s', async (arm) => {
    const cell = await Workcell.create({ arm, cameras: false, base: { x: 0.05, y: -0.1, yaw: 0.3 } })
    const { world } = cell
    const { mj, m, d, tcpSite, nv } = world as unknown as Record<'m' | 'd', never> & {
      mj: MainModule
      tcpSite: number
      nv: number
    }
    const peer = [new mj.DoubleBuffer(3 * nv), new mj.DoubleBuffer(3 * nv)] as const
    for (const [seed, task] of ['place', 'pick', 'assemble'].entries()) {
      cell.resetSync(task, seed)
      for (let step = 0; step < 5; step++) cell.stepSync(action({ 0: 0.7, 1: -0.5, 2: -0.3, 3: 0.4, 4: -0.6, 5: 0.8 }))
      world.computeJacobian()
      mj.mj_jacSite(m, d, peer[0].GetView(), peer[1].GetView(), tcpSite)
      expect(world.jacobianTranslation).toEqual(peer[0].GetView())
      expect(world.jacobianRotation).toEqual(peer[1].GetView())
      expect(world.jacobianTranslation.some((entry) => Math.abs(entry) > 0.1)).toBe(true)
    }
    for (const buffer of peer) buffer.delete()
    cell.free()
  })

  it('gives the gantry angles that compose to the rotation', () => {
    const q = fromRotationVector([0.7, -0.4, 1.1])
    const [x, y, z] = eulerOf(q)
    const composed = [
      [0, 0, z],
      [0, y, 0],
      [x, 0, 0],
    ]
      .map((v) => fromRotationVector(v as Vec3))
      .reduce(multiply, IDENTITY)
    expectVector(rotationVector(multiply(composed, conjugate(q))), [0, 0, 0], 9)
  })
})

describe('target', () => {
  const origin: Pose = { position: [0.5, 0, 0.2], rotation: HOME_ROTATION }
  const started = () => {
    const target = new Target()
    target.hold(origin)
    return target
  }

  it('moves by 15 mm and 0.15 rad per full action, evenly over the step', () => {
    const target = started()
    target.push(action({ 0: 1, 5: -1 }), origin)
    expectVector(target.at(0.4).position, [0.506, 0, 0.2], 12)
    expectVector(target.at(1).position, [0.515, 0, 0.2], 12)
    expectVector(rotationVector(multiply(target.at(0.4).rotation, conjugate(HOME_ROTATION))), [0, 0, -0.06], 9)
    expectVector(rotationVector(multiply(target.at(1).rotation, conjugate(HOME_ROTATION))), [0, 0, -0.15], 9)
  })

  it('stays on its leash when the tool cannot follow, along the same direction', () => {
    const target = started()
    for (let i = 0; i < 6; i++) target.push(action({ 0: 0.8, 1: -0.6, 3: 1 }), origin)
    expectVector(target.at(1).position, [0.5 + 0.03 * 0.8, -0.03 * 0.6, 0.2], 6)
    expect(length(rotationVector(multiply(target.at(1).rotation, conjugate(HOME_ROTATION))))).toBeCloseTo(0.35, 9)
  })

  it('stays in the work box', () => {
    const target = started()
    for (let i = 0; i < 30; i++) target.push(action({ 2: -1 }), target.at(1))
    expect(target.at(1).position[2]).toBe(0.012)
  })

  it('takes clear gripper commands and keeps the last one otherwise', () => {
    const target = started()
    const after = (value: number) => {
      target.push(action({ 6: value }), origin)
      return target.gripper
    }
    expect([0.4, 0.6, 0.4, -0.4, -0.6, 0.5].map(after)).toEqual(['open', 'close', 'close', 'close', 'open', 'open'])
  })
})

describe.each(['panda', 'gantry'] as const)('motion of the %s', (arm) => {
  const still = action({})

  it.each([0, 1, 2, 3, 4, 5])('follows axis %i in the base frame and comes to rest there', async (axis) => {
    const cell = await Workcell.create({ arm, cameras: false })
    const before = cell.resetSync('place', 3).proprio
    for (let i = 0; i < 4; i++) cell.stepSync(action({ [axis]: axis === 0 ? -1 : 1 }))
    const moving = cell.truth().tcp
    const speed = axis < 3 ? moving.velocity[axis] : moving.angularVelocity[axis - 3]
    expect(Math.abs(speed!)).toBeGreaterThan(axis < 3 ? 0.1 : 1) // of 0.15 m/s and 1.5 rad/s
    const wanted = axis < 3 ? 0.06 * (axis === 0 ? -1 : 1) : 0.6
    const along: number[] = []
    for (let i = 0; i < 15; i++) {
      const { proprio } = cell.stepSync(still).observation
      along.push((proprio[axis]! - before[axis]!) / wanted)
    }
    expect(Math.max(...along)).toBeLessThan(1.04) // damped: hardly beyond the goal
    const after = cell.observeSync().proprio
    const rest = rotationVector(
      multiply(
        fromRotationVector([...after.slice(3, 6)] as Vec3),
        conjugate(fromRotationVector([...before.slice(3, 6)] as Vec3)),
      ),
    )
    const change = [after[0]! - before[0]!, after[1]! - before[1]!, after[2]! - before[2]!, ...rest]
    change.forEach((value, i) => {
      expect(Math.abs(value - (i === axis ? wanted : 0))).toBeLessThan(i < 3 ? 0.001 : 0.01)
    })
    cell.free()
  })

  it('closes on the bolt within two steps and carries its weight', async () => {
    const cell = await Workcell.create({ arm, cameras: false })
    cell.resetSync('assemble', 5)
    for (let i = 0; i < 4; i++) cell.stepSync(action({ 2: 1 }))
    for (let i = 0; i < 8; i++) cell.stepSync(still)
    const { bolts, contactForce } = cell.truth()
    expect(bolts[0]!.held).toBe(true)
    expect(bolts[0]!.speed).toBeLessThan(0.005)
    expect(contactForce).toBe(0)
    const { proprio } = cell.observeSync()
    expectVector([...proprio.slice(14, 17)] as Vec3, [0, 0, -0.7848], 2)
    cell.free()
  })

  it('measures the weight of a standing bolt on the stand', async () => {
    const cell = await Workcell.create({ arm, cameras: false })
    cell.resetSync('pick', 1)
    for (let i = 0; i < 10; i++) cell.stepSync(action({ 2: 0.5 }))
    expect(cell.truth().contactForce).toBeCloseTo(0.08 * 9.81, 2)
    cell.free()
  })

  it('freezes where it is when told to stop', async () => {
    const cell = await Workcell.create({ arm, cameras: false })
    cell.resetSync('place', 2)
    for (let i = 0; i < 5; i++) cell.stepSync(action({ 1: -1 }))
    const at = cell.truth().tcp.position
    await cell.stop()
    await cell.stop()
    for (let i = 0; i < 10; i++) cell.stepSync(still)
    // without the stop it would travel on by its lag of about 10 mm (6 mm for the gantry)
    expect(length(subtract(cell.truth().tcp.position, at))).toBeLessThan(0.001)
    cell.free()
  })
})
