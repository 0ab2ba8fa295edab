/** @file What a policy file says about itself: everything that somebody needs who has the file and nothing else. */
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { METHODS } from '../learn/actors.ts'
import type { RobotSpec } from '../robot/robot.ts'

/** Changes when an older Duet, or somebody's own program, would misread a file. */
export const POLICY_FORMAT = 1

const Interval = z.tuple([z.number(), z.number()])

export const PolicyAbout = z.object({
  format: z.literal(POLICY_FORMAT),
  duet: z.string(), // version that wrote it
  run: z.string(), // name of the run
  checkpoint: z.string(),
  method: z.enum(METHODS),
  robot: z.object({
    name: z.string(),
    rate: z.number(), // Hz
    actionFrame: z.enum(['base', 'tool']),
    actionScale: z.object({ translation: z.number(), rotation: z.number() }), // m and rad a step at |a| = 1
    cameras: z.record(z.string(), z.object({ width: z.int(), height: z.int() })), // those that the policy sees, RGB
    channels: z.array(z.object({ name: z.string(), unit: z.string() })), // entries of the input `state`
  }),
  tasks: z.array(z.object({ name: z.string(), instruction: z.string() })).min(1), // rows of the input `task`
  commands: z.array(z.string()), // rows of the input `command`; none where the policy follows none
  encoder: z.object({
    name: z.string(),
    inside: z.boolean(), // whether pictures go in, or what the encoder makes of them
    hash: z.string(), // of its weights
    licence: z.string(),
    source: z.string(),
    embeddingWidth: z.int(),
  }),
  noise: z.number(), // spread of the input `noise` in the run's own evaluations
  trained: z
    .object({
      robotMinutes: z.number(),
      interventionShare: z.number(),
      tasks: z.record(
        z.string(),
        z.object({ step0: z.number().optional(), success: z.number(), trials: z.number(), interval: Interval }),
      ),
    })
    .optional(), // none of a checkpoint that is not a run's end
  settings: z.record(z.string(), z.unknown()), // the run's, without paths
})
export type PolicyAbout = z.infer<typeof PolicyAbout>

/** @throws InputError if the file is of another format, or not what was written */
export function parseAbout(where: string, text: string): PolicyAbout {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new InputError(where, 'says about itself what is no JSON', 'Export it again', { cause })
  }
  const format = z.object({ format: z.unknown() }).safeParse(value).data?.format
  if (format !== POLICY_FORMAT)
    throw new InputError(
      where,
      `is of format ${format}, this Duet knows format ${POLICY_FORMAT}`,
      'Use the version of Duet that wrote it, or export it again',
    )
  const parsed = PolicyAbout.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new InputError(`${where}, "${issue!.path.join('.')}"`, issue!.message, 'Export it again')
}

/** What a file says of its robot; of its cameras those that the policy sees. */
export function aboutRobot(spec: RobotSpec, cameras: readonly string[]): PolicyAbout['robot'] {
  const { name, rate, actionFrame, actionScale, channels } = spec
  return {
    name,
    rate,
    actionFrame,
    actionScale,
    cameras: Object.fromEntries(
      cameras.map((camera) => {
        const { width, height } = spec.cameras[camera]!
        return [camera, { width, height }]
      }),
    ),
    channels: channels.map(({ name, unit }) => ({ name, unit })),
  }
}

/**
 * Its name may be another: the same arm in another scene. @throws InputError where the policy's numbers would mean something
 * else on this robot
 */
export function expectFittingRobot(
  where: string,
  { robot }: Pick<PolicyAbout, 'robot'>,
  spec: RobotSpec | PolicyAbout['robot'],
): void {
  const refuse = (what: string): never => {
    throw new InputError(where, `is of robot ${robot.name}, ${what}`, `Give a policy that was trained on ${spec.name}`)
  }
  const written = (of: PolicyAbout['robot']['channels']) => of.map(({ name, unit }) => `${name} [${unit}]`)
  const [theirs, ours] = [written(robot.channels), written(spec.channels as PolicyAbout['robot']['channels'])]
  if (theirs.length !== ours.length) refuse(`which tells ${theirs.length} readings; ${spec.name} tells ${ours.length}`)
  const at = theirs.findIndex((channel, i) => channel !== ours[i])
  if (at >= 0) refuse(`whose reading ${at} is ${theirs[at]}; that of ${spec.name} is ${ours[at]}`)
  for (const [camera, { width, height }] of Object.entries(robot.cameras)) {
    const own = spec.cameras[camera]
    if (!own) refuse(`which sees through a camera "${camera}"; ${spec.name} has none of that name`)
    if (own!.width !== width || own!.height !== height)
      refuse(`whose camera ${camera} has ${width} x ${height}; that of ${spec.name} has ${own!.width} x ${own!.height}`)
  }
  if (robot.actionFrame !== spec.actionFrame) refuse(`which moves in the frame of its ${robot.actionFrame}`)
  for (const axis of ['translation', 'rotation'] as const)
    if (robot.actionScale[axis] !== spec.actionScale[axis])
      refuse(`whose ${axis} a step is ${robot.actionScale[axis]}; that of ${spec.name} is ${spec.actionScale[axis]}`)
  if (robot.rate !== spec.rate) refuse(`which takes ${robot.rate} steps a second; ${spec.name} takes ${spec.rate}`)
}
