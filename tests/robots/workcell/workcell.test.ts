/** @file The workcell as a Robot: determinism, snapshots, refusals, memory, pictures. Run on arm and gantry alike. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../../src/errors.ts'
import { RandomStream } from '../../../src/random/stream.ts'
import { nameOf } from '../../../src/robot/channels.ts'
import type { Action, Observation } from '../../../src/robot/robot.ts'
import type { WorkcellOptions } from '../../../src/robots/workcell/options.ts'
import { WORKCELL_B } from '../../../src/robots/workcell/options.ts'
import { angleBetween, upOf } from '../../../src/robots/workcell/spatial.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'

const randomActions = (count: number, seed = 3): Action[] => {
  const stream = new RandomStream(100 + seed, 'actions')
  return Array.from({ length: count }, () => stream.fillUniform(new Float32Array(7), -1, 1))
}

const hash = (cell: Workcell) => createHash('sha256').update(new Uint8Array(cell.world.save().buffer)).digest('hex')

const hashesOf = (cell: Workcell, actions: Action[]) =>
  actions.map((action) => {
    cell.stepSync(action)
    return hash(cell)
  })

describe.each([
  { arm: 'panda', bolts: 1 },
  { arm: 'panda', bolts: 4 },
  { arm: 'gantry', bolts: 1 },
  { arm: 'gantry', bolts: 4 },
] as Partial<WorkcellOptions>[])('workcell %o', (options) => {
  it('repeats the same states bit by bit: again, in a fresh simulator, and after a restore', async () => {
    const actions = randomActions(16)
    const cell = await Workcell.create({ ...options, cameras: false })
    const bolt = options.bolts! - 1
    cell.resetSync('assemble', 11, { bolt })
    const first = hashesOf(cell, actions)
    expect(new Set(first).size).toBe(actions.length)

    cell.resetSync('place', 4)
    hashesOf(cell, randomActions(5, 9))
    cell.resetSync('assemble', 11, { bolt })
    expect(hashesOf(cell, actions)).toEqual(first)

    const fresh = await Workcell.create({ ...options, cameras: false })
    fresh.resetSync('assemble', 11, { bolt })
    hashesOf(fresh, actions.slice(0, 6))
    const snapshot = fresh.snapshot()
    const seen = [fresh.observeSync().proprio, fresh.truth()]
    expect(hashesOf(fresh, actions.slice(6))).toEqual(first.slice(6))

    for (const other of [fresh, cell]) {
      other.restore(snapshot)
      expect([other.observeSync().proprio, other.truth()]).toEqual(seen)
      expect(hashesOf(other, actions.slice(6))).toEqual(first.slice(6))
    }
    cell.free()
    fresh.free()
  })

  it('starts every task as described', async () => {
    const cell = await Workcell.create({ ...options, cameras: false })
    const bolt = options.bolts! - 1
    for (let seed = 0; seed < 4; seed++) {
      cell.resetSync('place', seed, { bolt })
      let truth = cell.truth()
      // free play makes the bolt rest at 52 degrees in its 45 degree cradle (docs/simulator.md §2)
      const lean = (angleBetween(upOf(truth.bolts[bolt]!.rotation), [0, 0, 1]) * 180) / Math.PI
      expect(lean).toBeGreaterThan(48)
      expect(lean).toBeLessThan(56)
      expect(truth.gripper).toEqual({ width: expect.closeTo(0.05, 3), command: 'open' })
      for (const { tip, speed } of truth.bolts.slice(0, bolt)) {
        expect(tip[1]).toBeCloseTo(-0.115, 1)
        expect(tip[2]).toBeLessThan(0.019) // in its slot, 28 mm below the opening at 45 mm
        expect(speed).toBeLessThan(0.03)
      }

      cell.resetSync('pick', seed, { bolt })
      truth = cell.truth()
      expect(angleBetween(upOf(truth.bolts[bolt]!.rotation), [0, 0, 1])).toBeLessThan(0.16)
      expect(truth.bolts[bolt]!.tip[2]).toBeCloseTo(0.021, 3)

      cell.resetSync('assemble', seed, { bolt })
      truth = cell.truth()
      expect(truth.bolts[bolt]!.held).toBe(true)
      expect(truth.bolts[bolt]!.touchesHand).toBe(true)
      expect(truth.bolts[bolt]!.tip[2] - 0.045).toBeGreaterThan(0.025)
      expect(truth.bolts[bolt]!.tip[2] - 0.045).toBeLessThan(0.055)
    }
    cell.free()
  })
})

describe('workcell', () => {
  it('gives every seed another start', async () => {
    const cell = await Workcell.create({ cameras: false })
    const starts = Array.from({ length: 12 }, (_, seed) => {
      cell.resetSync('place', seed)
      return hash(cell)
    })
    expect(new Set(starts).size).toBe(12)
    cell.free()
  })

  it('refuses actions that are not seven finite numbers and leaves the state alone', async () => {
    const cell = await Workcell.create({ cameras: false })
    cell.resetSync('place', 1)
    const before = hash(cell)
    expect(() => cell.stepSync(new Float32Array(6))).toThrow('has 6 numbers instead of 7')
    const action = new Float32Array(7)
    action[4] = Number.NaN
    expect(() => cell.stepSync(action)).toThrow('entry 4 is NaN')
    action[4] = Number.NEGATIVE_INFINITY
    await expect(cell.step(action)).rejects.toThrow(InputError)
    expect(hash(cell)).toBe(before)
    cell.free()
  })

  it('refuses tasks and bolts that it does not have', async () => {
    const cell = await Workcell.create({ cameras: false })
    expect(() => cell.resetSync('polish')).toThrow('there is no task "polish". Tasks are place, pick, assemble, slide.')
    expect(() => cell.resetSync('place', 0, { bolt: 1 })).toThrow('This cell has bolts 0 to 0.')
    await expect(cell.reset('toString')).rejects.toThrow(InputError)
    cell.free()
  })

  it('continues a chain with another task in the same scene', async () => {
    const cell = await Workcell.create({ bolts: 4, cameras: false })
    cell.resetSync('place', 5, { bolt: 2 })
    const before = hash(cell)
    cell.begin('pick', { bolt: 3 })
    expect(hash(cell)).toBe(before)
    expect(cell.truth()).toMatchObject({ task: 'pick', bolt: 3 })
    cell.begin('assemble')
    expect(cell.truth()).toMatchObject({ task: 'assemble', bolt: 3 })
    cell.free()
  })

  it('names every entry of its proprioception, in SI units', async () => {
    const cell = await Workcell.create({ cameras: false })
    const { proprio } = cell.resetSync('assemble', 2)
    const entry = (name: string) => proprio[cell.spec.channels.map(nameOf).indexOf(name)]
    expect(proprio.length).toBe(cell.spec.channels.length)
    const { tcp } = cell.truth()
    expect(entry('tcp.z [m]')).toBeCloseTo(tcp.position[2], 6)
    expect(entry('gripper.command [-1 open, 1 close]')).toBe(1)
    expect(entry('gripper.opening [0 closed, 1 open]')).toBeCloseTo(0.016 / 0.05, 1)
    // it carries a bolt of 44 + 36 g
    expect(entry('wrist.force.z [N]')).toBeCloseTo(-0.08 * 9.81, 2)
    cell.free()
  })

  it('keeps the clock running over resets, 0.1 s a step', async () => {
    const cell = await Workcell.create({ cameras: false })
    const still = new Float32Array(7)
    for (let i = 0; i < 3; i++) await cell.step(still)
    expect((await cell.reset('pick', 1)).time).toBeCloseTo(0.3)
    expect((await cell.step(still)).observation.time).toBeCloseTo(0.4)
    cell.free()
  })

  it('ends the episode and restores the state before when the physics diverges', async () => {
    const cell = await Workcell.create({ cameras: false })
    cell.resetSync('pick', 1)
    cell.world.views.qvel[0] = 1e12
    const { reward, terminated } = cell.stepSync(new Float32Array(7))
    expect({ reward, terminated, divergences: cell.divergences }).toEqual({
      reward: 0,
      terminated: true,
      divergences: 1,
    })
    cell.resetSync('pick', 1)
    expect(cell.stepSync(new Float32Array(7)).terminated).toBe(false)
    cell.free()
  })

  it('survives growth of the WASM memory, which detaches every view', async () => {
    const cell = await Workcell.create({ cameras: false })
    const reference = await Workcell.create({ cameras: false })
    const actions = randomActions(4)
    cell.resetSync('place', 3)
    reference.resetSync('place', 3)
    const stale = cell.world.views.qpos
    const others: Workcell[] = []
    while (stale.byteLength > 0 && others.length < 40) others.push(await Workcell.create({ bolts: 4, cameras: false }))
    expect(stale.byteLength).toBe(0)
    expect(hashesOf(cell, actions)).toEqual(hashesOf(reference, actions))
    for (const used of [cell, reference, ...others]) used.free()
  })

  it('holds its memory over thousands of steps', async () => {
    const cell = await Workcell.create({ arm: 'gantry', cameras: false })
    const actions = randomActions(50)
    const run = () => {
      for (let episode = 0; episode < 12; episode++) {
        cell.resetSync('place', episode)
        for (const action of actions) cell.stepSync(action)
      }
      return cell.world.memoryBytes
    }
    const settled = run()
    expect([run(), run()]).toEqual([settled, settled])
    cell.free()
  })
})

describe('cameras of the workcell', () => {
  const near = ({ images }: Observation, camera: string, [r, g, b]: number[], tolerance: number) => {
    const { data } = images[camera]!
    let count = 0
    for (let i = 0; i < data.length; i += 3) {
      const scale = Math.max(data[i]!, data[i + 1]!, data[i + 2]!) / Math.max(r!, g!, b!)
      const off = Math.hypot(data[i]! - scale * r!, data[i + 1]! - scale * g!, data[i + 2]! - scale * b!)
      if (scale > 0.3 && off < tolerance * scale * 255) count++
    }
    return count
  }
  const CYAN = [13, 191, 217]
  const AMBER = [255, 158, 13]

  it('shows the active cradle in cyan and the active slot in amber, and only these', async () => {
    const cell = await Workcell.create({ bolts: 4 })
    const observation = await cell.reset('place', 1, { bolt: 1 })
    expect(Object.keys(observation.images)).toEqual(Object.keys(cell.spec.cameras))
    for (const image of Object.values(observation.images)) {
      expect([image.width, image.height, image.data.length]).toEqual([128, 128, 128 * 128 * 3])
    }
    const other = cell.begin('place', { bolt: 2 })
    for (const seen of [observation, other]) {
      // one cradle is 30 mm wide: 3.3 mm a pixel makes it a few dozen pixels
      expect(near(seen, 'front', CYAN, 0.05)).toBeGreaterThan(20)
      expect(near(seen, 'front', CYAN, 0.05)).toBeLessThan(250)
      expect(near(seen, 'front', AMBER, 0.03)).toBeGreaterThan(40)
      expect(near(seen, 'front', AMBER, 0.03)).toBeLessThan(400)
    }
    expect(Buffer.compare(observation.images.front!.data, other.images.front!.data)).not.toBe(0)
    cell.free()
  })

  it('repeats a picture after a restore', async () => {
    const cell = await Workcell.create()
    cell.resetSync('assemble', 4)
    const snapshot = cell.snapshot()
    const before = cell.observeSync().images
    for (const action of randomActions(3)) cell.stepSync(action)
    expect(cell.observeSync().images).not.toEqual(before)
    cell.restore(snapshot)
    expect(cell.observeSync().images).toEqual(before)
    cell.free()
  })

  it('sees the second workcell differently, though its start is the same', async () => {
    const [a, b] = await Promise.all([Workcell.create(), Workcell.create(WORKCELL_B)])
    const [seenA, seenB] = [a.resetSync('pick', 2), b.resetSync('pick', 2)]
    for (let i = 0; i < 6; i++) expect(seenB.proprio[i]).toBeCloseTo(seenA.proprio[i]!, 3)
    expect(Buffer.compare(seenA.images.front!.data, seenB.images.front!.data)).not.toBe(0)
    a.free()
    b.free()
  })

  it('lights the table of the second workcell from another side', async () => {
    const cell = await Workcell.create(WORKCELL_B)
    const { data } = cell.resetSync('pick', 2).images.front!
    // 255 colour (0.36 + 0.6 n.l), n.l = 0.78 / |(0.3, -0.55, 0.78)| = 0.7796, of (0.5, 0.57, 0.6) and (0.46, 0.53, 0.56)
    const lit = [
      [105.5, 120.3, 126.7],
      [97.1, 111.9, 118.2],
    ]
    let seen = 0
    for (let i = 0; i < data.length; i += 3)
      if (lit.some((rgb) => rgb.every((value, c) => Math.abs(data[i + c]! - value) <= 1))) seen++
    expect(seen).toBeGreaterThan((128 * 128) / 3)
    cell.free()
  })
})
