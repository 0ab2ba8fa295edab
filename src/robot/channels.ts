/** @file The channels of a robot's proprioception: what each entry is called, measures, and can plausibly read. */

const AXES = ['x', 'y', 'z'] as const

/** What a vector of three channels is, in the robot's base frame: tool position m, its turn from home rad, velocity m/s, force N. */
export const VECTORS = ['position', 'turn', 'velocity', 'force'] as const
export type VectorRole = (typeof VECTORS)[number]

/**
 * What a channel means to whoever watches over the robot or draws it. Of the gripper: "opening", how far it is open, 0 closed,
 * 1 open; "grip", what it is asked for, -1 to open, 1 to close.
 */
export const ROLES = [
  ...VECTORS.flatMap((of) => AXES.map((axis) => `${of}.${axis}` as const)),
  'opening',
  'grip',
] as const
export type Role = (typeof ROLES)[number]

/** `low`, `high`: a reading beyond is no measurement but a fault of the sensor; left out where anything may be read. */
export type Channel = { name: string; unit: string; low?: number; high?: number; role?: Role }

/** As in the log: "tcp.x [m]". */
export const nameOf = ({ name, unit }: Pick<Channel, 'name' | 'unit'>) => `${name} [${unit}]`

/** Where x, y and z of a vector stand; null where the robot does not tell all of it. */
export function vectorOf(channels: readonly Channel[], of: VectorRole): [x: number, y: number, z: number] | null {
  const [x, y, z] = AXES.map((axis) => channels.findIndex(({ role }) => role === `${of}.${axis}`))
  return x! < 0 || y! < 0 || z! < 0 ? null : [x!, y!, z!]
}

/** Three channels of one vector: `prefix`.x, .y and .z. */
export const vector = (
  prefix: string,
  unit: string,
  rest: { of?: VectorRole; low?: number; high?: number },
): Channel[] =>
  AXES.map((axis) => {
    const { of, ...range } = rest
    return { name: `${prefix}.${axis}`, unit, ...range, ...(of && { role: `${of}.${axis}` as const }) }
  })
