/** @file The settings of SO-100 and SO-101 arms. */
import { z } from 'zod'
import { CamerasConfig } from '../../robot/cameras/config.ts'
import { RealSafetyConfig, TasksConfig } from '../../robot/real-config.ts'
import { JOINTS } from './joints.ts'

const degrees = z.number().min(-180).max(180)
const Pose = z.tuple([degrees, degrees, degrees, degrees, degrees])
const share = (text: string) => z.number().gt(0).max(1).describe(text)

const poseText = `degrees of ${JOINTS.slice(0, 5).join(', ')}, each 0 in the middle of its range`

const ServosConfig = z.strictObject({
  torque: share('of what a servo can: limit of the five joints, set at connect').default(0.7),
  gripperTorque: share('of what a servo can: limit of the gripper, set at connect').default(0.5),
  acceleration: z.number().gt(0).max(39).default(20).describe('rad/s² of each joint'),
  jointSpeed: z.number().gt(0).max(5).default(1.5).describe('rad/s: no joint is sent faster'),
  lead: z
    .number()
    .gt(0)
    .max(0.5)
    .default(0.2)
    .describe('rad: how far a joint may be sent ahead of where it is; a joint that cannot follow is pushed no harder'),
  squeeze: z
    .number()
    .gt(0)
    .max(1)
    .default(0.04)
    .describe('how far a closing gripper is sent ahead of where it is, of its whole way: how hard it holds'),
  temperature: z.number().min(40).max(80).default(65).describe('°C: a servo that is hotter is a fault'),
})

/** All three together are a stall; the gripper may: it holds things. */
const StallConfig = z.strictObject({
  current: z.number().gt(0).default(0.5).describe('A of a joint that does not get on'),
  error: z.number().gt(0).default(0.08).describe('rad from where it was sent'),
  time: z.number().gt(0).default(0.2).describe('s for which that lasts'),
})

const LeaderConfig = z.strictObject({
  port: z.string().min(1).describe("as the arm's own"),
  arm: z.string().min(1).default('leader').describe('the id that it was calibrated under with LeRobot, or a file'),
  scale: z.number().gt(0).max(2).default(1).describe("m of the arm's tool for one of the leader's"),
  deadZone: z
    .strictObject({
      translation: z.number().min(0).max(0.02).default(0.002).describe('m'),
      rotation: z.number().min(0).max(0.2).default(0.03).describe('rad'),
    })
    .prefault({})
    .describe('less than that is a hand at rest'),
})
export type LeaderConfig = z.infer<typeof LeaderConfig>

export const So101Config = z.strictObject({
  kind: z.literal('so101').describe('which robot: an SO-100 or SO-101 arm on its serial bus'),
  port: z
    .string()
    .min(1)
    .describe('"/dev/ttyACM0" or COM3, "serial:" and the number of its USB adapter, or "simulated"'),
  arm: z
    .string()
    .min(1)
    .default('follower')
    .describe("the id that the arm was calibrated under with LeRobot, or the path of its calibration's file"),
  leader: LeaderConfig.optional().describe('a second arm, without torque, that a person takes over with'),
  cameras: CamerasConfig.default({}).describe('by name, see the page on cameras'),
  tasks: TasksConfig,
  places: z
    .record(
      z.string(),
      z.strictObject({
        position: z.tuple([z.number(), z.number(), z.number()]).describe('m, base frame'),
        within: z.number().gt(0).describe('m'),
      }),
    )
    .default({})
    .describe('of tasks that are done when the tool is at a place; the others are judged by a person or a classifier'),
  start: Pose.default([0, -25, 20, 70, 0]).describe(`where an episode begins: ${poseText}`),
  park: Pose.default([0, -95, 85, 55, 0]).describe(`where the arm rests: ${poseText}`),
  exit: z
    .enum(['hold', 'park', 'relax'])
    .default('hold')
    .describe('what it does when a run ends: stays under torque, goes to the park pose, or goes there and lets go'),
  actionScale: z
    .strictObject({
      translation: z.number().gt(0).max(0.03).default(0.01).describe('m a step'),
      rotation: z.number().gt(0).max(0.3).default(0.1).describe('rad a step'),
    })
    .prefault({}),
  safety: RealSafetyConfig.prefault({
    workBox: { low: [0.08, -0.25, 0.01], high: [0.4, 0.25, 0.35] },
    speed: 0.12,
  }).refine(({ workBox }) => workBox.turn === undefined, {
    path: ['workBox', 'turn'],
    message: 'five joints turn the tool with its position: leave it out',
  }),
  servos: ServosConfig.prefault({}),
  stall: StallConfig.prefault({}),
  cells: z.array(z.string()).length(1).default(['A']).describe('name of the one arm that there is'),
})
export type So101Config = z.infer<typeof So101Config>

export const SIMULATED = 'simulated'
