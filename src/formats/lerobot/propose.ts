/** @file A mapping for a dataset nobody has mapped yet: by names and numbers, with what it goes by and what a person has to check. */
import { nameOf } from '../../robot/channels.ts'
import type { JointChain } from '../../robot/joint-chain.ts'
import { ACTION_WIDTH, type RobotSpec } from '../../robot/robot.ts'
import type { LerobotDataset } from './dataset.ts'
import type { Feature } from './info.ts'
import { SetMapping, type SetMappingInput, type SetMotion } from './mapping.ts'
import { isFile, videoPlace } from './pictures.ts'
import { ProprioTeller } from './proprio.ts'
import { type EpisodeRows, type NumberColumn, readRows } from './rows.ts'

/** `mapping` is left out where there is none to propose, for the reasons in `refused`. */
export type Proposal = { mapping?: SetMappingInput; because: string[]; check: string[]; refused: string[] }

type Given = { dataset: LerobotDataset; spec: RobotSpec; chain?: JointChain; tasks: readonly string[] }
type Arm = Pick<SetMappingInput, 'motion' | 'pose' | 'gripper' | 'proprio'>
type Sides = { action: Side; state: Side | undefined }
type Side = { name: string; column: NumberColumn; names: readonly string[] }

const ACTIONS = ['action', 'actions']
const STATES = ['observation.state', 'state', 'observation.environment_state']

/** @throws InputError if the first episode cannot be read */
export async function propose(given: Given): Promise<Proposal> {
  const { dataset } = given
  const notes: Omit<Proposal, 'mapping'> = { because: [], check: [], refused: [] }
  const [first] = dataset.episodes
  if (!first) {
    notes.refused.push('the files hold no episode')
    return notes
  }
  const rows = await readRows(dataset, first, [...ACTIONS, ...STATES])
  const action = sideOf(dataset, rows, ACTIONS)
  const state = sideOf(dataset, rows, STATES)
  if (!action) {
    const numbers = [...dataset.features.values()].filter(({ kind }) => kind === 'number').map(({ name }) => name)
    notes.refused.push(`there is no column "action" or "actions"; the columns of numbers are ${numbers.join(', ')}`)
    return notes
  }
  const ours = own({ action, state }, given, notes)
  const arm = ours ?? joints({ action, state }, given, notes) ?? twist({ action, state }, given, notes)
  if (!arm) {
    notes.refused.push(
      `"${action.name}" has ${action.column.width} numbers${action.names.length > 0 ? ` (${shown(action.names)})` : ''}: they are neither the steps nor the poses of a tool, nor the joints of ${given.spec.name}`,
    )
    notes.check.push('if some of them are, write mapping.motion by hand: docs/data.md')
    return notes
  }
  const mapping: SetMappingInput = {
    ...arm,
    cameras: cameras(given, notes),
    tasks: tasks(given, notes),
    success: success(dataset, ours !== undefined, notes),
  }
  return { mapping: withProprio(mapping, given, notes), ...notes }
}

function sideOf({ features }: LerobotDataset, rows: EpisodeRows, names: readonly string[]): Side | undefined {
  const name = names.find((one) => rows.columns.has(one))
  return name === undefined
    ? undefined
    : { name, column: rows.columns.get(name)!, names: features.get(name)?.names ?? [] }
}

/** A set of the robot's own: its channels by name, and actions as it takes them. */
function own({ action, state }: Sides, { spec }: Given, { because }: Proposal): Arm | undefined {
  const { channels, actionFrame } = spec
  const same = (names: readonly string[]) =>
    names.length === channels.length &&
    channels.every((channel, i) => names[i] === nameOf(channel) || names[i] === channel.name)
  if (!state || !same(state.names) || action.column.width !== ACTION_WIDTH || largest(action.column) > 1.0001)
    return undefined
  because.push(
    `"${state.name}" names the channels of ${spec.name}, "${action.name}" has ${ACTION_WIDTH} numbers in [-1, 1]: a dataset of this robot`,
  )
  return {
    motion: {
      kind: 'delta',
      position: `${action.name}[0:3]`,
      rotation: `${action.name}[3:6]`,
      unit: 'action',
      turn: 'action',
      frame: actionFrame,
    },
    gripper: { column: `${action.name}[6]`, open: -1, closed: 1 },
    proprio: state.name,
  }
}

/** Joints of the robot's chain, by name; unnamed ones of an arm of that kind by their count. */
function joints({ action, state }: Sides, { dataset, chain }: Given, notes: Proposal): Arm | undefined {
  if (!chain) return undefined
  const plain = (name: string) => name.replace(/^main_|^left_|^right_/, '').replace(/\.pos$|_joint$|\.position$/, '')
  const places = (names: readonly string[]) =>
    chain.joints.map((joint) => names.findIndex((name) => plain(name) === joint))
  const named = places(action.names).every((place, j) => place === j)
  const counted =
    action.names.length === 0 &&
    action.column.width === chain.joints.length + 1 &&
    /so-?10\d|koch/i.test(dataset.info.robotType ?? '')
  if (!named && !counted) return undefined
  const of = chain.joints.length
  const told = named
    ? `"${action.name}" names the joints of the robot`
    : `"${action.name}" has ${of + 1} numbers, as arms of type ${dataset.info.robotType} have`
  const unit = jointUnit(action.column, of)
  notes.because.push(`${told}; they reach ±${largest(action.column, 0, of).toFixed(1)}: taken as ${UNITS[unit]}`)
  if (unit !== 'rad')
    notes.check.push('the unit of the joints: LeRobot writes degrees or -100 to 100, by a setting of the arm')
  const ownState =
    state &&
    state.column.width === action.column.width &&
    (counted || places(state.names).every((place, j) => place === j))
  if (!ownState) {
    notes.check.push(`mapping.pose is the action's too: "${state?.name ?? STATES[0]}" does not name the same joints`)
  }
  const pose = ownState ? state.name : action.name
  const angles = (name: string, tells: 'target' | 'state') => ({
    kind: 'joints' as const,
    angles: `${name}[0:${of}]`,
    unit,
    model: 'robot',
    tells,
  })
  const gripper = named ? action.names.findIndex((name) => /gripper/.test(name)) : of
  const [low, high] = gripper < 0 ? [0, 1] : unit === 'rad' ? extremes(action.column, gripper) : [0, 100]
  if (gripper >= 0)
    notes.check.push(`the gripper: ${action.name}[${gripper}] is taken as closed at ${low}, open at ${high}`)
  return {
    motion: angles(action.name, 'target'),
    pose: angles(pose, 'state'),
    ...(gripper >= 0 && {
      gripper: { column: `${action.name}[${gripper}]`, open: high, closed: low, opening: `${pose}[${gripper}]` },
    }),
  }
}

const UNITS = { rad: 'radians', deg: 'degrees', range: '-100 to 100 over what a joint can turn' }

function jointUnit(column: NumberColumn, count: number): 'rad' | 'deg' | 'range' {
  const most = largest(column, 0, count)
  return most <= 2 * Math.PI ? 'rad' : most <= 100.5 ? 'range' : 'deg'
}

/** Seven numbers: three and three of a tool, and a gripper; or six and a quaternion between. */
function twist({ action, state }: Sides, { spec }: Given, notes: Proposal): Arm | undefined {
  const { name, column } = action
  const jointly = action.names.some((one) => /joint|shoulder|elbow|motor/i.test(one))
  if ((column.width !== 7 && column.width !== 8) || jointly) return undefined
  const quaternion = column.width === 8
  const rest = quaternion ? { rotation: `${name}[3:7]`, as: 'quaternion-xyzw' as const } : { rotation: `${name}[3:6]` }
  const last = column.width - 1
  const [low, high] = extremes(column, last)
  const gripper = { column: `${name}[${last}]`, open: high, closed: low }
  notes.check.push(
    `the gripper: ${gripper.column} is taken as closed at ${low.toPrecision(3)}, open at ${high.toPrecision(3)}; swap them if it is the other way`,
  )
  const absolute = state && state.column.width >= 6 && follows(column, state.column)
  const pose = (side: string, tells: 'target' | 'state'): Extract<SetMotion, { kind: 'pose' }> => ({
    kind: 'pose',
    position: `${side}[0:3]`,
    as: 'rotation-vector',
    unit: 'm',
    turn: 'rad',
    tells,
    ...(side === name ? rest : { rotation: `${side}[3:6]` }),
  })
  if (absolute || quaternion) {
    notes.because.push(`"${name}"[0:3] goes along with "${state?.name}"[0:3]: where the tool is sent to`)
    notes.check.push(
      'that positions are metres and rotations vectors in radians, not roll, pitch and yaw (as: euler-xyz)',
    )
    return { motion: pose(name, 'target'), ...(absolute && { pose: pose(state.name, 'state') }), gripper }
  }
  const most = largest(column, 0, 6)
  const scaled = most > 0.3 && most <= 1.0001
  notes.because.push(
    `"${name}" has 7 numbers that do not follow the state and reach ±${most.toPrecision(3)}: steps of the tool`,
  )
  notes.check.push(
    scaled
      ? `the scale: they are taken as parts of ${spec.actionScale.translation} m and ${spec.actionScale.rotation} rad, the robot's own step`
      : 'the unit: they are taken as metres and radians a frame',
    `the frame: they are taken as told in the ${scaled ? spec.actionFrame : 'base'} frame`,
  )
  return {
    motion: {
      kind: 'delta',
      position: `${name}[0:3]`,
      rotation: `${name}[3:6]`,
      ...(scaled
        ? { unit: 'action', turn: 'action', frame: spec.actionFrame }
        : { unit: 'm', turn: 'rad', frame: 'base' }),
    },
    ...(state && state.column.width >= 6 && { pose: pose(state.name, 'state') }),
    gripper,
  }
}

/** Whether the first three entries are places near those of the state, and no steps: correlation of each above 0.9. */
function follows(action: NumberColumn, state: NumberColumn): boolean {
  return [0, 1, 2].every((axis) => correlation(entry(action, axis), entry(state, axis)) > 0.9)
}

const entry = ({ width, values }: NumberColumn, at: number) => values.filter((_, i) => i % width === at)

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  a.forEach((value, i) => {
    ab += (value - ma) * (b[i]! - mb)
    aa += (value - ma) ** 2
    bb += (b[i]! - mb) ** 2
  })
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}

const largest = ({ width, values }: NumberColumn, from = 0, to = width): number =>
  values.reduce((most, value, i) => (i % width >= from && i % width < to ? Math.max(most, Math.abs(value)) : most), 0)

const extremes = (column: NumberColumn, at: number): [number, number] => {
  const own = entry(column, at)
  return [own.reduce((low, value) => Math.min(low, value)), own.reduce((high, value) => Math.max(high, value))]
}

const shown = (names: readonly string[]) =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')}, ...` : names.join(', ')

/** By name, then in order; a camera that finds none stays black. */
function cameras({ dataset, spec }: Given, { because, check }: Proposal): NonNullable<SetMappingInput['cameras']> {
  const seen = [...dataset.features.values()]
    .filter(({ kind }: Feature) => kind === 'video' || kind === 'image')
    .map(({ name }) => name)
  const found: Record<string, string | null> = {}
  const free = () => seen.filter((feature) => !Object.values(found).includes(feature))
  const names = Object.keys(spec.cameras)
  for (const camera of names) {
    const own = seen.find((feature) => feature.split('.').at(-1) === camera)
    if (own !== undefined) found[camera] = own
  }
  for (const camera of names) {
    if (camera in found) continue
    found[camera] = free()[0] ?? null
    if (found[camera] !== null) check.push(`that ${camera} sees what ${found[camera]} saw: no feature has its name`)
    else because.push(`nothing is left for camera ${camera}: it sees black`)
  }
  for (const [camera, feature] of Object.entries(found)) {
    const gone = feature === null ? undefined : missingVideo(dataset, feature)
    if (gone !== undefined)
      check.push(`${gone} is missing: fetch it, or set mapping.cameras.${camera} to null, and it sees black`)
  }
  return Object.fromEntries(names.map((camera) => [camera, found[camera]!]))
}

function missingVideo(dataset: LerobotDataset, feature: string): string | undefined {
  if (dataset.features.get(feature)!.kind !== 'video') return undefined
  const { file } = videoPlace(dataset, dataset.episodes[0]!, feature)
  return isFile(file) ? undefined : dataset.short(file)
}

/** Texts that are no task's name or instruction. */
function tasks({ dataset, spec, tasks: wanted }: Given, { check }: Proposal): Record<string, string> {
  const same = (text: string) =>
    Object.entries(spec.tasks).some(([name, { instruction }]) =>
      [name, instruction].some((one) => one.trim().toLowerCase() === text.trim().toLowerCase()),
    )
  const strange = [...dataset.tasks.values()].filter((text) => !same(text))
  const task = wanted[0] ?? Object.keys(spec.tasks)[0]!
  if (strange.length > 0) check.push(`which of the robot's tasks each text is; all are taken as "${task}"`)
  if (dataset.tasks.size === 0) return { '*': task }
  return Object.fromEntries(strange.map((text) => [text, task]))
}

/** A set of the robot's own, as `duet export lerobot` writes it, means by that column what it says. */
function success(dataset: LerobotDataset, own: boolean, { because, check }: Proposal): string {
  if (!dataset.features.has('next.success')) return 'all'
  if (own) {
    because.push('"next.success" says which episodes succeeded')
    return 'next.success'
  }
  check.push('which episodes succeeded: all are taken to; success: next.success asks that column')
  return 'all'
}

/** What nothing tells is taken to be 0, for somebody to check. */
function withProprio(mapping: SetMappingInput, { spec, chain }: Given, { check }: Proposal): SetMappingInput {
  if (typeof mapping.proprio === 'string') return mapping
  const untold = new ProprioTeller(SetMapping.parse(mapping), spec, chain).untold()
  if (untold.length === 0) return mapping
  check.push(`nothing tells ${untold.map(nameOf).join(', ')}: taken as 0 throughout`)
  return { ...mapping, proprio: Object.fromEntries(untold.map(({ name }) => [name, 0])) }
}
