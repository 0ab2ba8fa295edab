import { describe, expect, it } from 'vitest'
import { LerobotDataset } from '../../../src/formats/lerobot/dataset.ts'
import { parseMapping, type SetMappingInput } from '../../../src/formats/lerobot/mapping.ts'
import { propose } from '../../../src/formats/lerobot/propose.ts'
import { LerobotSource } from '../../../src/formats/lerobot/source.ts'
import type { Episode } from '../../../src/replay/source.ts'
import type { Observation, RobotSpec } from '../../../src/robot/robot.ts'
import { episodePictures } from './set-pictures.ts'
import { aTinySet, putParquet, rowsOf } from './tiny-set.ts'

const robot: RobotSpec = {
  name: 'test arm',
  rate: 10,
  cameras: { front: { width: 4, height: 4 } },
  channels: [
    { name: 'tcp.x', unit: 'm', low: -9, high: 9 },
    { name: 'tcp.y', unit: 'm' },
    { name: 'gripper', unit: 'm' },
  ],
  actionFrame: 'base',
  actionScale: { translation: 0.02, rotation: 0.1 },
  tasks: {
    place: { instruction: 'put the bolt upright', maxSteps: 80 },
    pick: { instruction: 'pick the bolt', maxSteps: 80 },
  },
}

const own: SetMappingInput = {
  motion: { kind: 'delta', position: 'action[0:3]', rotation: 'action[3:6]', unit: 'action', turn: 'action' },
  gripper: { column: 'action[6]', open: -1, closed: 1 },
  proprio: 'observation.state',
  cameras: { front: null },
}

const DATA = 'data/chunk-000/file-000.parquet'
const changed = (folder: string, column: string, change: (cell: unknown, row: number) => unknown) =>
  putParquet(
    folder,
    DATA,
    rowsOf({ 0: 5, 1: 4 }).map(([name, cells]) => [name, name === column ? cells.map(change) : cells] as const),
  )

const open = async (folder: string, mapping: object = own, spec = robot) =>
  LerobotSource.open(await LerobotDataset.open(folder), parseMapping('test', mapping), spec)

async function all<T>(given: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const one of given) list.push(one)
  return list
}
const episodesOf = async (folder: string, mapping: object = own, spec = robot): Promise<Episode[]> =>
  all((await open(folder, mapping, spec)).episodes())

describe('a LeRobot dataset as a source of episodes', () => {
  it("gives a robot's own actions as they are, and the last observation twice: nothing was seen after it", async () => {
    const [first, second] = await episodesOf(aTinySet())
    expect([first!.start, first!.end]).toEqual([
      { episode: 0, task: 'place', source: 'demonstration', seed: null },
      { ending: 'success' },
    ])
    expect(second!.steps.map(({ action }) => Array.from(action))).toEqual(
      [10, 11, 12, 13].map((x) => Array.from(Float32Array.of(x / 100, 0, 0, 0, 0, 0, -1))),
    )
    expect(second!.steps.map(({ reward, terminated }) => [reward, terminated])).toEqual([
      [0, false],
      [0, false],
      [0, false],
      [1, true],
    ])
    const ids = [first!, second!].flatMap(({ steps }) => steps.map(({ id }) => id))
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    const seen: Observation[] = await all(second!.observations())
    expect(seen.map(({ proprio, time }) => [proprio[1], time])).toEqual([
      [0, 0],
      [1, 0.1],
      [2, 0.2],
      [3, 0.3],
      [3, 0.4],
    ])
    expect(seen[0]!.images.front).toEqual({ width: 4, height: 4, data: new Uint8Array(48) })
    expect(await all(second!.observations())).toEqual(seen)
  })

  it('gives pictures as large as the camera has them, of the frames that the steps see', async () => {
    const { folder, greys } = await episodePictures({ 0: 6 }, 20)
    const [episode] = await episodesOf(folder, { ...own, cameras: { front: 'observation.images.top' } })
    const seen = await all(episode!.observations())
    expect(seen.map(({ images }) => [images.front!.width, images.front!.data[0]])).toEqual(
      [greys[0], greys[2], greys[4], greys[5]].map((grey) => [4, grey]),
    )
  })

  it('keeps to the tasks, endings and episodes that are asked for', async () => {
    const folder = aTinySet()
    putParquet(folder, 'meta/tasks.parquet', [
      ['task_index', [0, 1]],
      ['task', ['Put the bolt upright', 'stack cubes']],
    ])
    changed(folder, 'task_index', (_, row) => (row < 5 ? 1 : 0))
    const tasks = async (mapping: object) =>
      (await episodesOf(folder, mapping)).map(({ start }) => [start.episode, start.task])
    expect(await tasks(own)).toEqual([[1, 'place']])
    expect(await tasks({ ...own, tasks: { 'stack cubes': 'pick' } })).toEqual([
      [0, 'pick'],
      [1, 'place'],
    ])
    expect(await tasks({ ...own, tasks: { '*': 'pick' }, episodes: [0] })).toEqual([[0, 'pick']])
    const source = await open(folder, { ...own, tasks: { '*': 'pick' } })
    expect(await all(source.episodes({ tasks: ['place'] }))).toHaveLength(1)
    expect(await all(source.episodes({ endings: ['failure'] }))).toEqual([])
  })

  it('tells a failure by the column that is named, and by what meta/episodes says', async () => {
    const folder = aTinySet()
    putParquet(folder, DATA, [
      ...rowsOf({ 0: 5, 1: 4 }),
      ['next.success', [false, false, false, true, false, false, false, false, false]],
    ])
    const endings = async (mapping: object) =>
      (await episodesOf(folder, mapping)).map(({ end, unusable }) => [end.ending, unusable])
    expect(await endings({ ...own, success: 'next.success' })).toEqual([
      ['success', undefined],
      ['failure', '"next.success" is true in none of its frames'],
    ])
    putParquet(folder, 'meta/episodes/chunk-000/file-000.parquet', [
      ['episode_index', [0, 1]],
      ['episode_success', ['failure', 'success']],
    ])
    expect(await endings(own)).toEqual([
      ['failure', 'the dataset says that it failed'],
      ['success', undefined],
    ])
  })

  it('closes the gripper where it is asked to be less than half open, and tells how far it was', async () => {
    const folder = aTinySet()
    changed(folder, 'action', (_, row) => [0, 0, 0, 0, 0, 0, [80, 60, 40, 20, 70][row % 5]])
    const gripper = { column: 'action[6]', open: 100, closed: 0, opening: 'observation.state[2]' }
    const spec: RobotSpec = {
      ...robot,
      channels: [
        { name: 'opening', unit: '1', role: 'opening' },
        { name: 'asked', unit: '1', role: 'grip' },
      ],
    }
    const [episode] = await episodesOf(folder, { ...own, gripper, proprio: {} }, spec)
    expect(episode!.steps.map(({ action }) => action[6])).toEqual([-1, -1, 1, 1, -1])
    const seen = await all(episode!.observations())
    expect(seen.map(({ proprio }) => proprio[1])).toEqual([1, -1, -1, 1, 1, -1])
    expect(seen[0]!.proprio[0]).toBeCloseTo(0.0005, 9)
  })

  it('takes of several frames in a step the last one for the gripper', async () => {
    const folder = aTinySet({ fps: 20 }, {}, { 0: 6 })
    const asked = [-1, -1, -1, 1, 1, -1] // two frames a step
    putParquet(
      folder,
      DATA,
      rowsOf({ 0: 6 }, 20).map(
        ([name, cells]) => [name, name === 'action' ? asked.map((grip) => [0, 0, 0, 0, 0, 0, grip]) : cells] as const,
      ),
    )
    const [episode] = await episodesOf(folder)
    expect(episode!.steps.map(({ action }) => action[6])).toEqual([-1, 1, -1])
  })

  it('tells how a tool is turned from its home, and not how home is turned from it', async () => {
    const folder = aTinySet()
    changed(folder, 'observation.state', () => [0.3, 0, 0])
    const spec: RobotSpec = {
      ...robot,
      home: [Math.cos(0.05), Math.sin(0.05), 0, 0], // about x by 0.1
      channels: [
        { name: 'turn', unit: 'rad', role: 'turn.x' },
        { name: 'other', unit: 'rad', role: 'turn.y' },
      ],
    }
    const pose = { kind: 'pose', position: 'observation.state', rotation: 'observation.state', tells: 'state' }
    const [episode] = await episodesOf(folder, { ...own, pose, proprio: {} }, spec)
    const [{ proprio }] = (await all(episode!.observations())) as [Observation]
    expect([...proprio].map((value) => Number(value.toFixed(6)))).toEqual([0.2, 0])
  })

  it('makes channels of columns, of poses, and of numbers that they are taken to be', async () => {
    const spec: RobotSpec = {
      ...robot,
      home: [0, 1, 0, 0],
      channels: [
        { name: 'x', unit: 'm', role: 'position.x' },
        { name: 'vy', unit: 'm/s', role: 'velocity.y' },
        { name: 'turn', unit: 'rad', role: 'turn.x' },
        { name: 'force', unit: 'N' },
        { name: 'scaled', unit: 'm' },
      ],
    }
    const pose = { kind: 'pose', position: 'observation.state', unit: 'cm', tells: 'state' }
    const proprio = { force: 0, scaled: { column: 'observation.state[1]', scale: 2, offset: 1 } }
    const [, episode] = await episodesOf(aTinySet(), { ...own, pose, proprio }, spec)
    const seen = await all(episode!.observations())
    const [x, velocity, turn, force, scaled] = seen[2]!.proprio
    expect([x, velocity, force, scaled].map((value) => Number(value!.toFixed(6)))).toEqual([0.01, 0.1, 0, 5])
    expect(Math.abs(turn!)).toBeCloseTo(Math.PI, 5) // home is turned half round, the tool is not
  })
})

describe('a mapping that does not fit is refused:', () => {
  it.each<[string, object, RegExp]>([
    [
      'a column that there is not',
      { motion: { kind: 'delta', position: 'act[0:3]' } },
      /has no column "act". It has: action, observation\.state/,
    ],
    [
      'two numbers for three',
      { motion: { kind: 'delta', position: 'action[0:2]' } },
      /mapping\.motion\.position: takes 3 numbers, "action\[0:2\]" gives 2/,
    ],
    [
      'an entry beyond the column',
      { gripper: { column: 'action[7]', open: 0, closed: 1 } },
      /mapping\.gripper\.column: takes "action\[7\]", column "action" has 7 numbers/,
    ],
    ['a state of another width', { proprio: 'action' }, /mapping\.proprio: takes 3 numbers, "action" gives 7/],
    [
      'channels that nothing tells',
      { proprio: { 'tcp.x': 0 } },
      /mapping\.proprio: tells nothing of tcp\.y \[m\], gripper \[m\]/,
    ],
    [
      'a channel that there is not',
      { proprio: { elbow: 0 } },
      /mapping\.proprio: names "elbow", which test arm has not/,
    ],
    [
      'a camera that nobody maps',
      { cameras: {} },
      /mapping\.cameras\.front: is not set\. The dataset has: no pictures; null leaves/,
    ],
    [
      'pictures that there are not',
      { cameras: { front: 'observation.image' } },
      /mapping\.cameras\.front: is "observation\.image", which is no picture/,
    ],
    [
      'a camera that the robot has not',
      { cameras: { front: null, back: null } },
      /mapping\.cameras: names "back"; test arm has front/,
    ],
    ['an episode that there is not', { episodes: [7] }, /mapping\.episodes: names episode 7/],
    [
      'steps in the frame of a tool whose turn nobody tells',
      { motion: { kind: 'delta', position: 'action[0:3]', frame: 'tool' } },
      /mapping\.motion\.frame: is "tool"/,
    ],
  ])('%s', async (_, change, message) => expect(open(aTinySet(), { ...own, ...change })).rejects.toThrow(message))

  it('NaN, with file, column, frame and episode', async () => {
    const folder = aTinySet()
    changed(folder, 'action', (cell, row) => (row === 6 ? [0, Number.NaN, 0, 0, 0, 0, 0] : cell))
    await expect(episodesOf(folder)).rejects.toThrow(`${DATA}: column "action"[1] is NaN in frame 1 of episode 1`)
  })

  it('a reading that the channel cannot have, as of another unit', async () => {
    const folder = aTinySet()
    changed(folder, 'observation.state', () => [350, 0, 0])
    await expect(episodesOf(folder)).rejects.toThrow('makes tcp.x [m] 350.0 in frame 0 of episode 0; it reads -9 to 9')
  })

  it('a dataset without a task of the robot, or without a shard', async () => {
    const folder = aTinySet()
    putParquet(folder, 'meta/tasks.parquet', [
      ['task_index', [0]],
      ['task', ['stack cubes']],
    ])
    await expect(open(folder)).rejects.toThrow('Write under mapping.tasks which of place, pick it is: "stack cubes"')
    const partial = aTinySet()
    putParquet(partial, DATA, rowsOf({ 0: 5 }))
    await expect(open(partial)).rejects.toThrow(/is missing, with the rows of episode 1/)
    expect(await episodesOf(partial, { ...own, episodes: [0] })).toHaveLength(1)
  })

  it('a dataset that nothing was recorded into yet, or none of its episodes', async () => {
    const empty = aTinySet({ total_episodes: 0 }, {}, {})
    await expect(open(empty)).rejects.toThrow('holds no episode. Record some')
    await expect(open(aTinySet(), { ...own, episodes: [] })).rejects.toThrow('mapping.episodes: names no episode')
    const dataset = await LerobotDataset.open(empty)
    expect((await propose({ dataset, spec: robot, tasks: ['place'] })).refused).toEqual(['the files hold no episode'])
  })

  it('an unknown setting, or no column at all', () => {
    expect(() => parseMapping('c.yaml', { ...own, gripper: { column: 'action[a]', open: 0, closed: 1 } })).toThrow(
      /c\.yaml: setting "gripper\.column": is no column such as/,
    )
    expect(() => parseMapping('c.yaml', { motion: { kind: 'dance' } })).toThrow(/c\.yaml: setting "motion\.kind"/)
  })
})

describe('a proposal', () => {
  const proposed = async (folder: string, spec = robot) =>
    propose({ dataset: await LerobotDataset.open(folder), spec, tasks: ['place'] })

  it("of the robot's own dataset leaves nothing to check", async () => {
    const names = ['tcp.x [m]', 'tcp.y [m]', 'gripper [m]']
    const { mapping, check, refused } = await proposed(
      aTinySet({}, { 'observation.state': { dtype: 'float32', shape: [3], names } }),
      { ...robot, cameras: {} },
    )
    expect([check, refused]).toEqual([[], []])
    expect(parseMapping('test', mapping)).toEqual(parseMapping('test', { ...own, cameras: {} }))
  })

  it('of what this program exported leaves nothing to check, and goes by its column of successes', async () => {
    const names = ['tcp.x [m]', 'tcp.y [m]', 'gripper [m]']
    const folder = aTinySet({}, { 'observation.state': { dtype: 'float32', shape: [3], names } })
    const succeeded = Array.from({ length: 9 }, (_, row) => row === 8) // the last frame of episode 1
    putParquet(folder, DATA, [...rowsOf({ 0: 5, 1: 4 }), ['next.success', succeeded]])
    const { mapping, check } = await proposed(folder, { ...robot, cameras: {} })
    expect(check).toEqual([])
    const episodes = await episodesOf(folder, mapping, { ...robot, cameras: {} })
    expect(episodes.map(({ end }) => end.ending)).toEqual(['failure', 'success'])
  })

  it('of seven numbers of unknown make names what a person has to check', async () => {
    const { mapping, check } = await proposed(aTinySet())
    expect(mapping!.motion).toMatchObject({ kind: 'delta', unit: 'm', position: 'action[0:3]' })
    expect(check.join('\n')).toMatch(/the unit.*[\s\S]*the frame.*[\s\S]*nothing tells tcp\.x \[m\]/)
  })

  it('is refused, with the reason, for two numbers that nobody knows', async () => {
    const folder = aTinySet({}, { action: { dtype: 'float32', shape: [2], names: { motors: ['motor_0', 'motor_1'] } } })
    changed(folder, 'action', () => [1, 2])
    const { mapping, refused } = await proposed(folder)
    expect(mapping).toBeUndefined()
    expect(refused[0]).toMatch(/^"action" has 2 numbers \(motor_0, motor_1\): they are neither/)
  })
})
