/** @file The served robots of a proof in real time: how each is started, and the config of a run that drives it. */
import { TASKS } from '../../src/robots/workcell/tasks/index.ts'
import { type Process, startDuet } from './processes.ts'

export const ROBOTS = ['serl', 'so101', 'ros'] as const
export type RobotName = (typeof ROBOTS)[number]

export type ServedRobot = {
  process: Process
  truth: string // address of its test-only channel
  config: Record<string, unknown> // of the run's robot
  name: string // in faults
  stepIsOneCommand: boolean // one message to it a step of the run
}

export type Wanted = { tasks: readonly string[]; trials: number; folder: string }

const SIZE = { width: 128, height: 128 }
const HOME = [0, Math.SQRT1_2, Math.SQRT1_2, 0] // w x y z: the hand looks down, its fingers along x
const SCALE = { translation: 0.015, rotation: 0.15 } // as the workcell's own, which its encoder was trained with

/** Trial k begins from start k. */
const startsOf = (trials: number) => Array.from({ length: trials }, (_, k) => `start ${k}`)

const workcellTasks = ({ tasks, trials }: Wanted) =>
  Object.fromEntries(
    tasks.map((task) => {
      const { instruction, maxSteps } = TASKS[task]!
      return [task, { instruction, maxSteps, scene: 'bolt and fixtures', starts: startsOf(trials) }]
    }),
  )

const workcellSafety = {
  workBox: {
    low: [0.3, -0.25, 0.012],
    high: [0.7, 0.25, 0.4],
    // a bad policy turns the hand until a joint is at its limit, and the straight way to the next start is none
    turn: { low: [Math.PI - 0.5, -0.5, Math.PI / 2 - 0.9], high: [Math.PI + 0.5, 0.5, Math.PI / 2 + 0.9] },
  },
  speed: 0.15,
  force: 80,
}

async function serveSerl(wanted: Wanted): Promise<ServedRobot> {
  const process = startDuet(
    'the served workcell',
    ['serve', 'workcell', '--api', 'serl', '--port', '0', '--fps', '20', '--task', wanted.tasks[0]!, '--test-truth'],
    { ownComputer: true },
  )
  const url = await process.says(/SERL interface: (\S+)/)
  const cameras = await process.says(/Camera: (\S+\/cameras)\/front/)
  const camera = (name: string) => ({ kind: 'mjpeg', url: `${cameras}/${name}.mjpg`, ...SIZE })
  const clips = (kind: string, most: number) =>
    Object.fromEntries(
      ['x', 'y', 'z'].flatMap((axis) => [
        [`${kind}_clip_${axis}`, most],
        [`${kind}_clip_neg_${axis}`, most],
      ]),
    )
  const config = {
    kind: 'serl',
    name: 'served',
    url,
    actionScale: SCALE,
    startPose: [0.5, 0, 0.18, Math.PI, 0, Math.PI / 2],
    tasks: workcellTasks(wanted),
    cameras: { front: camera('front'), wrist: camera('wrist') },
    compliance: { ...clips('translational', 0.03), ...clips('rotational', 0.35) }, // the leash of the workcell's own arm
    startGrip: 'open',
    startLift: 0.06, // from between the fixtures
    safety: workcellSafety,
  }
  return { process, truth: url, config, name: 'served-A', stepIsOneCommand: true }
}

async function serveRos(wanted: Wanted): Promise<ServedRobot> {
  const process = startDuet(
    'the served workcell',
    ['serve', 'workcell', '--api', 'rosbridge', '--port', '0', '--task', wanted.tasks[0]!, '--test-truth'],
    { ownComputer: true },
  )
  const address = await process.says(/rosbridge of ROS \d: (\S+)/)
  const camera = (name: string) => ({ kind: 'ros', topic: `/${name}/image/compressed`, ...SIZE })
  const config = {
    kind: 'ros',
    name: 'served-ros',
    version: 2,
    address,
    actionScale: SCALE,
    home: HOME,
    command: { mode: 'pose', topic: '/target_pose' },
    pose: '/tool_pose',
    velocity: '/tool_twist',
    wrench: '/wrench',
    gripper: {
      command: { by: 'topic', topic: '/gripper/command', open: 1, closed: 0 },
      opening: { topic: '/joint_states', joint: 'finger', open: 1, closed: 0 },
    },
    cameras: { front: camera('front'), wrist: camera('wrist') },
    reset: 'person',
    recovery: { service: '/recover' },
    tasks: workcellTasks(wanted),
    safety: workcellSafety,
  }
  return { process, truth: address.replace('ws:', 'http:'), config, name: 'served-ros', stepIsOneCommand: true }
}

async function serveSo101({ trials, folder }: Wanted): Promise<ServedRobot> {
  const [port, arm] = [`${folder}/arm-port`, `${folder}/arm.json`]
  const process = startDuet(
    'the simulated arm',
    ['so101', 'simulate', port, '--calibration', arm, '--cameras-port', '0', '--test-truth'],
    { ownComputer: true },
  )
  const cameras = await process.says(/Camera: (\S+\/cameras)\/front/)
  const camera = (name: string) => ({ kind: 'mjpeg', url: `${cameras}/${name}.mjpg`, ...SIZE })
  const config = {
    kind: 'so101',
    port,
    arm,
    cameras: { front: camera('front'), wrist: camera('wrist') },
    safety: { workBox: { low: [0.08, -0.25, 0.01], high: [0.4, 0.25, 0.35] }, speed: 0.12 },
    tasks: {
      reach: { instruction: 'reach the red mark', maxSteps: 80, scene: 'the mark', starts: startsOf(trials) },
    },
  }
  return { process, truth: cameras.replace(/cameras$/, ''), config, name: 'so101-arm', stepIsOneCommand: false }
}

const SERVE = { serl: serveSerl, ros: serveRos, so101: serveSo101 } satisfies Record<RobotName, unknown>

export const serve = (robot: RobotName, wanted: Wanted): Promise<ServedRobot> => SERVE[robot](wanted)

/** The task that a robot is proved with where none is named. */
export const TASK_OF: Readonly<Record<RobotName, string>> = { serl: 'pick', ros: 'pick', so101: 'reach' }
