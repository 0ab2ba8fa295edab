/** @file What the config of every robot that can break has: its safety limits, the cells of several, and the tasks that it is given. */
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { defaultLimits, type SafetyLimits } from './guard.ts'
import type { RobotSpec } from './robot.ts'
import { defaultSenseLimits } from './senses.ts'

const positive = (text: string) => z.number().gt(0).describe(text)
const UPRIGHT = 1.57 // rad, just below a right angle, where roll and yaw are the same
const point = z.tuple([z.number(), z.number(), z.number()])

const isBox = ({ low, high }: { low: readonly number[]; high: readonly number[] }) =>
  low.every((value, axis) => value < high[axis]!)
const BELOW = 'each low must be below its high'

const Turn = z
  .strictObject({
    low: point.describe('rad: least roll, pitch, yaw of the tool about the fixed axes x, y, z of the base'),
    high: point.describe('rad: greatest roll, pitch, yaw of it'),
  })
  .refine(isBox, BELOW)
  .refine(
    ({ low, high }) => low[1] >= -UPRIGHT && high[1] <= UPRIGHT,
    `the pitch reaches from -${UPRIGHT} to ${UPRIGHT}`,
  )
  .optional()
  .describe('how the tool may be turned, as far as actions turn it; left out: as it likes')

const WorkBox = z
  .strictObject({
    low: point.describe('m, base frame: least x, y, z of the tool'),
    high: point.describe('m, base frame: greatest x, y, z of the tool'),
    turn: Turn,
  })
  .refine(isBox, BELOW)
  .describe('where the tool stays, on its way to a start too')

/** Ages that are finite by default: a real robot stops when nobody commands or supervises it any more. */
export const RealSafetyConfig = z.strictObject({
  workBox: WorkBox,
  force: positive('N at the tool: more is a fault').default(30),
  change: positive('largest change of a motion axis between two steps, action units').max(2).default(1),
  speed: positive('m/s: the tool is asked for no more, by an action or on its way to a start'),
  jump: positive('m between the measured tool and where it is sent: more is a fault').default(0.05),
  commandAge: positive('s between the making of a command and its execution, and between two: more stops').default(0.3),
  heartbeatAge: positive('s since those who supervise were last heard: more stops').default(1),
  pictureAge: positive('s between a picture and its observation: more is a fault').default(
    defaultSenseLimits.pictureAge,
  ),
  standing: positive(
    's for which the arm may stand in free air though it is told to move, where it moved before: more is a fault. Raise it for a controller that is slow to begin, or so soft that it presses with less than 2 N',
  ).default(0.2),
})
export type RealSafetyConfig = z.infer<typeof RealSafetyConfig>

/** Names of the robots of a run. What is kept of each lies in folders of that name, and an arm in two cells would be moved by two loops. */
export const CellsConfig = z
  .array(z.string().regex(/^[^./\\][^/\\]*$/, 'has to name a folder: no "/", and no "." in front'))
  .min(1)
  .refine((cells) => new Set(cells).size === cells.length, 'names a cell twice')
  .default(['A'])

/**
 * The limits of the safety envelope; `speed` and `jump` are for the robot's driver to keep.
 * @throws InputError naming the setting where limits contradict each other or the robot
 */
export function safetyLimitsOf(
  config: RealSafetyConfig,
  { name, rate, actionScale }: Pick<RobotSpec, 'name' | 'rate' | 'actionScale'>,
): SafetyLimits {
  const { workBox, force, change, speed, jump, commandAge, heartbeatAge, pictureAge, standing } = config
  const refuse = (setting: string, what: string, remedy: string) => {
    throw new InputError(`${name}, safety.${setting}`, what, remedy)
  }
  const asked = actionScale.translation * rate
  if (asked > speed * (1 + 1e-9))
    refuse('speed', `is ${speed} m/s, and an action of size 1 asks for ${asked.toPrecision(3)} m/s`, SLOWER)
  if (actionScale.translation > jump)
    refuse('jump', `is ${jump} m, and an action of size 1 asks for ${actionScale.translation} m`, SLOWER)
  for (const [setting, age] of [
    ['commandAge', commandAge],
    ['heartbeatAge', heartbeatAge],
  ] as const)
    if (age <= 1 / rate)
      refuse(setting, `is ${age} s, and a step takes ${1 / rate} s`, 'Give it more than one step, three for instance')
  workBox.low.forEach((low, axis) => {
    const width = workBox.high[axis]! - low
    if (width < actionScale.translation)
      refuse('workBox', `is ${width.toPrecision(3)} m wide on ${'xyz'[axis]}, less than one step`, 'Widen it')
  })
  return { ...defaultLimits, workBox, force, change, commandAge, heartbeatAge, pictureAge, standing, flatHold: 1 }
}

const SLOWER = 'Lower actionScale.translation, or raise the limit'

/** Which tasks there are, and in what words the policy is told of them. */
export const TasksConfig = z
  .record(
    z.string().min(1),
    z.strictObject({
      instruction: z.string().min(1),
      maxSteps: z.int().min(1),
      scene: z.string().min(1).optional(),
      starts: z.array(z.string().min(1)).min(1).optional(),
    }),
  )
  .refine((tasks) => Object.keys(tasks).length > 0, 'names no task')
  .describe(
    'by name {instruction: what the policy is told, maxSteps: steps until the clock ends an episode, scene: how a person lays it, starts: where an episode may begin, in words}',
  )

/** @throws InputError for a task that the robot does not have */
export function expectTask({ name, tasks }: Pick<RobotSpec, 'name' | 'tasks'>, task: string): void {
  if (!Object.hasOwn(tasks, task))
    throw new InputError(name, `has no task "${task}"`, `It has: ${Object.keys(tasks).join(', ')}`)
}
