/** @file The settings of an arm behind SERL's HTTP server. */
import { z } from 'zod'
import { CamerasConfig } from '../../robot/cameras/config.ts'
import { CellsConfig, RealSafetyConfig, TasksConfig } from '../../robot/real-config.ts'

const address = z.url({ protocol: /^http$/, error: 'is no http:// address' })
const number = z.number()
const six = z.tuple([number, number, number, number, number, number])
const positive = (text: string) => z.number().gt(0).describe(text)
const atLeast0 = (text: string) => z.number().min(0).default(0).describe(text)

const Parameters = z.record(z.string().regex(/^(translational|rotational)_\w+$/, 'is no impedance parameter'), number)

const Settings = z.strictObject({
  kind: z.literal('serl').describe('which robot: an arm behind the HTTP server of SERL, HIL-SERL or ConRFT'),
  name: z
    .string()
    .min(1)
    .default('franka')
    .describe("serl: goes into the robot's name; demonstrations of one robot are not another's"),
  url: address.default('http://127.0.0.1:5000/').describe('serl: address of the server'),
  servers: z.record(z.string(), address).default({}).describe('serl: by cell, where each has a server of its own'),
  cells: CellsConfig.describe('names of the robots of a run'),
  rate: positive('serl: Hz, steps a second').max(30).default(10),
  actionScale: z
    .strictObject({
      translation: positive('m a step at |a| = 1').default(0.01),
      rotation: positive('rad a step at |a| = 1').default(0.06),
    })
    .prefault({}),
  cameras: CamerasConfig.describe('by the names under which the policy knows them'),
  tasks: TasksConfig,
  startPose: six.describe('serl: where episodes begin: x y z [m], roll pitch yaw [rad], base frame'),
  startPoses: z.record(z.string(), six).default({}).describe('serl: the same of single tasks, by their names'),
  startAngles: z
    .enum(['euler', 'serl'])
    .default('euler')
    .describe("serl: euler: about fixed x, y, z, as getpos_euler tells them. serl: as RESET_POSE of SERL's configs"),
  startSpread: z
    .strictObject({
      xy: atLeast0('m by which a start may lie beside, ± along x and y'),
      yaw: atLeast0('rad by which it may be turned, ± about the vertical'),
    })
    .prefault({}),
  startLift: atLeast0('serl: m that the tool first rises on its way to a start'),
  park: six.optional().describe('serl: where the arm goes when a run ends well, as startPose; left out: it stays'),
  startGrip: z
    .enum(['leave', 'open', 'close'])
    .default('leave')
    .describe('serl: what the gripper is told before a start'),
  jointReset: z
    .int()
    .min(0)
    .default(0)
    .describe("serl: the server's jointreset comes with every so manyth reset; 0 never. No stop interrupts it"),
  gripper: z.enum(['franka', 'robotiq', 'none']).default('franka').describe("serl: the server's gripper_type"),
  compliance: Parameters.default({}).describe('serl: update_param during episodes; left out: as the server has it'),
  precision: Parameters.default({}).describe('serl: update_param on the way to a start'),
  patience: positive('serl: s without an answer of the server that are a fault').default(0.2),
  reset: z
    .enum(['itself', 'person'])
    .default('person')
    .describe('who brings the scene to a start state: the arm on its way, or a person who is asked'),
  goal: z
    .strictObject({
      pose: six.describe('as TARGET_POSE: x y z [m], roll pitch yaw [rad]'),
      within: six.describe('as REWARD_THRESHOLD: success where all six are nearer'),
    })
    .optional()
    .describe('serl: success by the pose of the tool; left out: a person judges'),
  safety: RealSafetyConfig,
})

export const SerlConfig = Settings.refine(
  ({ cells, servers }) => {
    const own = cells.flatMap((cell) => (Object.hasOwn(servers, cell) ? [servers[cell]] : []))
    return cells.length === 1 || new Set(own).size === cells.length
  },
  { path: ['servers'], message: 'with several cells each needs the address of its own server' },
)
export type SerlConfig = z.infer<typeof SerlConfig>
