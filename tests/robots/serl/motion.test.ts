/** @file What an arm behind a SERL server is sent: targets, parameters, grips, in which order and how often. */
import { afterEach, expect, it } from 'vitest'
import { holdAction } from '../../../src/robot/guard.ts'
import { type SerlCell, START, serlCell } from './cell.ts'

let cell: SerlCell
afterEach(() => cell.close())

const tool = () => cell.plant.state.tool.position
const action = (...entries: number[]) => Float32Array.from([...entries, ...Array(7 - entries.length).fill(0)])
const grip = (entry: number) => action(0, 0, 0, 0, 0, 0, entry)

it('sends the measured pose and what the action adds, at each step once, and never clearerr', async () => {
  cell = await serlCell()
  await cell.robot.reset('pick')
  for (const _ of [1, 2, 3]) {
    const sent = cell.between.poses.length
    const [x, y] = tool()
    await cell.robot.step(action(0.5, -1))
    expect(cell.between.poses).toHaveLength(sent + 1)
    const [toX, toY] = cell.between.poses.at(-1)!
    expect(toX! - x).toBeCloseTo(0.0075, 6)
    expect(toY! - y).toBeCloseTo(-0.015, 6)
  }
  expect(cell.between.count('clearerr')).toBe(0)
  expect(cell.between.count('jointreset')).toBe(0)
})

it('turns the tool about the axes of the base', async () => {
  cell = await serlCell()
  await cell.robot.reset('pick')
  await cell.robot.step(action(0, 0, 0, 0, 0, 1)) // 0.1 rad about the vertical
  const [, , , qx, qy] = cell.between.poses.at(-1)!
  expect(2 * Math.atan2(qy!, qx!)).toBeCloseTo(Math.PI / 2 + 0.1, 3) // pointing down, yaw = 2 atan2(qy, qx)
})

it('takes each step a period by deadline, whatever it was late before', async () => {
  cell = await serlCell()
  await cell.robot.reset('pick')
  const start = cell.clock.now()
  await cell.robot.step(holdAction())
  await cell.clock.sleep(0.03) // somebody thinks
  const { observation } = await cell.robot.step(holdAction())
  expect(observation.time - start).toBeCloseTo(0.2, 6)
  await cell.clock.sleep(0.08)
  const late = await cell.robot.step(holdAction()) // half a period at least
  expect(late.observation.time - start).toBeCloseTo(0.33, 6)
})

it('holds by not commanding: a pose that it was told to keep is not pulled along with what is measured', async () => {
  cell = await serlCell()
  await cell.robot.reset('pick')
  const sent = cell.between.poses.length
  for (const _ of [1, 2, 3]) await cell.robot.step(holdAction())
  expect(cell.between.poses).toHaveLength(sent)
})

it('widens its clips only once the arm is told to stay where it is, and narrows them at the start', async () => {
  const precision = { translational_clip_x: 0.1 }
  const compliance = { translational_clip_x: 0.008 }
  cell = await serlCell({ precision, compliance })
  await cell.robot.reset('pick')
  const order = cell.between.asked.filter(({ route }) => route !== 'getstate')
  expect(order[0]!.route).toBe('pose')
  expect(order[1]).toEqual({ route: 'update_param', body: precision })
  expect(order.at(-1)).toEqual({ route: 'update_param', body: compliance })
  expect(order.filter(({ route }) => route === 'update_param')).toHaveLength(2)
})

it('keeps to the speed limit and to the work box on its way to a start, and rises first where it should', async () => {
  cell = await serlCell({ startLift: 0.05 })
  await cell.robot.reset('pick')
  for (let i = 0; i < 12; i++) await cell.robot.step(action(1, 0, -1))
  const low = tool()
  const sent = cell.between.poses.length
  await cell.robot.reset('pick')
  const way = cell.between.poses.slice(sent)
  const highest = Math.max(...way.map(([, , z]) => z!))
  expect(highest).toBeGreaterThan(Math.min(low[2] + 0.049, 0.2))
  const [first] = way
  const up = way.filter(([x]) => Math.abs(x! - low[0]) < 1e-6)
  expect(up.length).toBeGreaterThan(2)
  way.slice(1).forEach((pose, i) => {
    const before = way[i]!
    expect(Math.hypot(...[0, 1, 2].map((axis) => pose[axis]! - before[axis]!))).toBeLessThan(0.02 + 1e-6) // 0.2 m/s
  })
  expect(first![0]).toBeCloseTo(low[0], 6)
  expect(Math.hypot(...[0, 1, 2].map((axis) => tool()[axis]! - START[axis]!))).toBeLessThan(0.01)
})

it('begins beside the start as the seed says, within its spread', async () => {
  cell = await serlCell({ startSpread: { xy: 0.03, yaw: 0.2 } })
  const begin = async (seed: number) => [...(await cell.robot.reset('pick', seed)).proprio.slice(0, 6)]
  const [one, other, again] = [await begin(1), await begin(2), await begin(1)]
  for (const axis of [0, 1, 5]) expect(Math.abs(one[axis]! - other[axis]!)).toBeGreaterThan(0.002)
  for (const [i, value] of again.entries()) expect(Math.abs(value - one[i]!)).toBeLessThan(0.003)
  for (const axis of [0, 1]) expect(Math.abs(one[axis]! - START[axis]!)).toBeLessThan(0.031)
})

it('asks for a joint reset with every so manyth reset only', async () => {
  cell = await serlCell({ jointReset: 2 })
  const counts: number[] = []
  for (let i = 0; i < 4; i++) {
    await cell.robot.reset('pick')
    counts.push(cell.between.count('jointreset'))
  }
  expect(counts).toEqual([1, 1, 2, 2])
})

it('tells the gripper what is new, waits for none of it, and gives the hand its time between two commands', async () => {
  cell = await serlCell()
  await cell.robot.reset('pick')
  const told = () => cell.between.asked.filter(({ route }) => route.endsWith('_gripper')).map(({ route }) => route)
  const start = cell.clock.now()
  for (let i = 0; i < 3; i++) await cell.robot.step(grip(1))
  expect(told()).toEqual(['close_gripper'])
  await cell.robot.step(grip(-1))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(told()).toEqual(['close_gripper']) // 0.3 s after it
  for (let i = 0; i < 2; i++) await cell.robot.step(grip(-1))
  expect(cell.clock.now() - start).toBeCloseTo(0.6, 6)
  await cell.robot.step(grip(-1))
  await cell.robot.step(grip(-1))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(told()).toEqual(['close_gripper', 'open_gripper'])
})

it.each([
  ['leave', 1, -1],
  ['close', 1, 1],
] as const)(
  'with startGrip %s a hand that opens the gripper before the first step is heard of, one that is told is not',
  async (startGrip, reset, opened) => {
    cell = await serlCell({ startGrip })
    const asked = ({ proprio }: { proprio: Float32Array }) =>
      proprio[cell.robot.spec.channels.findIndex(({ role }) => role === 'grip')]
    const arm = async (route: string) => {
      await fetch(`${cell.config.url}${route}`, { method: 'POST' })
      cell.plant.pass(1)
    }
    await arm('close_gripper')
    expect(asked(await cell.robot.reset('pick'))).toBe(reset)
    await arm('open_gripper')
    expect(asked(await cell.robot.observe())).toBe(opened)
    await cell.robot.step(grip(-1))
    await arm('close_gripper')
    expect(asked(await cell.robot.observe())).toBe(-1) // as it was told last
  },
)

it('calls an episode a success at the goal, where the config has one', async () => {
  cell = await serlCell({
    goal: { pose: [...START.slice(0, 2), 0.23, ...START.slice(3)], within: [0.004, 0.004, 0.004, 0.1, 0.1, 0.1] },
  })
  await cell.robot.reset('pick')
  let steps = 0
  for (; steps < 20; steps++) if ((await cell.robot.step(action(0, 0, 0.3))).terminated) break
  expect(tool()[2]).toBeGreaterThan(0.225)
  expect(tool()[2]).toBeLessThan(0.236)
})

it('reads a server that has no gripper in parts', async () => {
  cell = await serlCell({ gripper: 'none' })
  cell.between.spoil = ({ route }) => (/getstate|gripper/.test(route) ? { status: 500 } : undefined)
  await cell.robot.reset('pick')
  const { observation } = await cell.robot.step(grip(1))
  expect(observation.proprio).toHaveLength(cell.robot.spec.channels.length)
  expect(cell.robot.spec.channels.some(({ role }) => role === 'grip')).toBe(false)
})

it('does not take an arm that presses on something for one that is gone', async () => {
  cell = await serlCell()
  await cell.robot.reset('pick')
  cell.between.change = ({ route }, text) =>
    route === 'getstate' ? text.replace(/"force":\[[^\]]+\]/, '"force":[0,0,8]') : text
  cell.plant.stopByItself()
  const noise = cell.between.change
  let n = 0
  cell.between.change = (asked, text) => noise(asked, text).replace(/"torque":\[0/, `"torque":[${(n++ % 7) / 1000}`)
  for (let i = 0; i < 15; i++) await cell.robot.step(action(0, 0, -1))
})
