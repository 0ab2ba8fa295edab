/** @file The settings of a robot that is driven through ROS, by a rosbridge. */
import { z } from 'zod'
import { CamerasConfig } from '../../robot/cameras/config.ts'
import { RealSafetyConfig, TasksConfig } from '../../robot/real-config.ts'

const topic = (text: string) => z.string().min(1).describe(text)
const seconds = (text: string) => z.number().gt(0).describe(text)

/** A service without arguments, or with one that says yes. */
export const ServiceConfig = z.strictObject({
  service: z.string().min(1).describe('its name'),
  type: z
    .enum(['std_srvs/Trigger', 'std_srvs/SetBool', 'std_srvs/Empty'])
    .default('std_srvs/Trigger')
    .describe('its type'),
  patience: seconds('s until it has to have answered').default(30),
})
export type ServiceConfig = z.infer<typeof ServiceConfig>

const frame = z.string().default('').describe("header.frame_id of commands, the robot's base frame")

const PoseMode = z.strictObject({
  mode: z.literal('pose').describe('where the tool is to be: what a Cartesian impedance controller follows'),
  topic: topic('geometry_msgs/PoseStamped: the equilibrium pose'),
  frame,
})

const TwistMode = z.strictObject({
  mode: z.literal('twist').describe('how fast the tool is to go: what MoveIt Servo follows, in m/s and rad/s'),
  topic: topic('geometry_msgs/TwistStamped'),
  frame,
  repeat: z.number().min(10).max(200).default(50).describe('Hz: a twist, zero too, is said again that often'),
})
export type CommandConfig = z.infer<typeof PoseMode> | z.infer<typeof TwistMode>

const GripperConfig = z.strictObject({
  command: z.discriminatedUnion('by', [
    z.strictObject({
      by: z.literal('topic').describe('it is told by a number on a topic'),
      topic: topic('std_msgs/Float64'),
      open: z.number().describe('what is said to open it'),
      closed: z.number().describe('what is said to close it'),
    }),
    z.strictObject({
      by: z.literal('services').describe('it is told by calling a service'),
      open: ServiceConfig,
      close: ServiceConfig,
    }),
  ]),
  opening: z
    .strictObject({
      topic: topic('sensor_msgs/JointState'),
      joint: z.string().min(1).describe('the joint that tells how far it is open'),
      open: z.number().describe('its position when open'),
      closed: z.number().describe('its position when closed'),
    })
    .refine(({ open, closed }) => open !== closed, 'open and closed are the same position')
    .optional()
    .describe('left out where nothing tells how far it is open'),
})

const quaternion = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .refine((q) => Math.abs(Math.hypot(...q) - 1) < 1e-3, 'is no rotation: its length is not 1')

export const RosConfig = z.strictObject({
  kind: z.literal('ros').describe('which robot: one that ROS drives, through rosbridge'),
  name: z.string().min(1).default('ros').describe('names it in logs and faults: another arm, another name'),
  cells: z.array(z.string()).length(1).default(['A']).describe('name of the one robot that there is'),
  version: z
    .union([z.literal(1), z.literal(2)])
    .describe('of ROS: 1 and 2 differ in names of types and fields of stamps'),
  address: z
    .url({ protocol: /^wss?$/ })
    .default('ws://127.0.0.1:9090')
    .describe('of the rosbridge'),
  rate: z.number().min(1).max(50).default(10).describe('Hz: steps a second'),
  actionScale: z
    .strictObject({
      translation: z.number().gt(0).max(0.1).describe('m a step at |a| = 1'),
      rotation: z.number().gt(0).max(0.5).describe('rad a step at |a| = 1'),
    })
    .prefault({ translation: 0.01, rotation: 0.05 }),
  home: quaternion.default([0, 1, 0, 0]).describe('w x y z of the tool where its turn reads 0; the default looks down'),
  command: z.discriminatedUnion('mode', [PoseMode, TwistMode]),
  pose: topic('geometry_msgs/PoseStamped: where the tool is, in the base frame'),
  velocity: topic('geometry_msgs/TwistStamped: how fast it is').optional(),
  wrench: topic('geometry_msgs/WrenchStamped: force and torque at the tool, in the base frame').optional(),
  joints: z
    .strictObject({
      topic: topic('sensor_msgs/JointState'),
      names: z.array(z.string().min(1)).min(1).describe('joints whose positions the policy reads, in this order'),
    })
    .optional(),
  gripper: GripperConfig.optional(),
  cameras: CamerasConfig.default({}).describe('by the names under which the policy knows them'),
  estop: topic('std_msgs/Bool: true stops the robot, and nothing moves before it is false again').optional(),
  reset: z
    .union([z.literal('person'), ServiceConfig])
    .default('person')
    .describe('who brings the scene to a start state: a person, or a service of the robot'),
  park: ServiceConfig.optional().describe('ros: called when a run ends well; left out: the robot stays where it is'),
  recovery: ServiceConfig.optional().describe('called when a person has cleared a fault, and at no other time'),
  age: z
    .strictObject({
      hold: seconds('s: with an older reading the robot holds').default(0.15),
      fault: seconds('s: an older reading is a fault').default(0.5),
    })
    .refine(({ hold, fault }) => hold < fault, 'hold has to be below fault')
    .prefault({}),
  patience: seconds('s until the bridge, and every topic that is read, has to have answered').default(5),
  safety: RealSafetyConfig,
  tasks: TasksConfig,
})
export type RosConfig = z.infer<typeof RosConfig>
