/** @file What a robot would have told of itself in a frame of a dataset: from columns, or from where the tool and the gripper were. */
import { InputError } from '../../errors.ts'
import { type Channel, nameOf } from '../../robot/channels.ts'
import type { AskedGrip } from '../../robot/gripper.ts'
import type { JointChain } from '../../robot/joint-chain.ts'
import type { RobotSpec } from '../../robot/robot.ts'
import type { Pose } from '../../robot/rotation.ts'
import type { SetMapping } from './mapping.ts'
import { anglesIn, type NumberReader, turnFrom } from './motion.ts'

export type FrameMoment = {
  tools: readonly Pose[] | undefined // of every frame
  period: number // s from frame to frame
  grip: AskedGrip
  where: string // the file
  episode: number
}

type Tell = (read: NumberReader, frame: number, moment: FrameMoment) => number

const AXES = ['x', 'y', 'z']

export class ProprioTeller {
  private readonly tells: (Tell | undefined)[]

  constructor(
    private readonly mapping: SetMapping,
    private readonly spec: RobotSpec,
    private readonly chain: JointChain | undefined,
  ) {
    this.tells = typeof mapping.proprio === 'string' ? [] : spec.channels.map((channel) => this.tellOf(channel))
  }

  /** @throws InputError for a reading that the channel cannot have */
  read(read: NumberReader, frame: number, moment: FrameMoment): Float32Array {
    const { proprio } = this.mapping
    const values =
      typeof proprio === 'string'
        ? Float32Array.from(read(proprio, frame))
        : Float32Array.from(this.tells, (tell) => tell!(read, frame, moment))
    for (const [i, channel] of this.spec.channels.entries()) {
      const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = channel
      const value = values[i]!
      if (value >= low && value <= high) continue
      throw new InputError(
        moment.where,
        `makes ${nameOf(channel)} ${value.toPrecision(4)} in frame ${frame} of episode ${moment.episode}; it reads ${low} to ${high}`,
        'Check the unit in the mapping',
      )
    }
    return values
  }

  /** `width` refuses a column of another width. @throws InputError for a channel that nobody tells, or one that there is not */
  expectWhole(width: (where: string, reference: string, wanted: number) => void): void {
    const { proprio } = this.mapping
    const { channels, name } = this.spec
    if (typeof proprio === 'string') {
      width('mapping.proprio', proprio, channels.length)
      return
    }
    const names = channels.map((channel) => channel.name)
    for (const [channel, value] of Object.entries(proprio)) {
      if (!names.includes(channel))
        throw new InputError(
          'mapping.proprio',
          `names "${channel}", which ${name} has not`,
          `It has: ${names.join(', ')}`,
        )
      if (typeof value !== 'number')
        width(`mapping.proprio.${channel}`, typeof value === 'string' ? value : value.column, 1)
    }
    const silent = this.untold()
    if (silent.length > 0)
      throw new InputError(
        'mapping.proprio',
        `tells nothing of ${silent.map(nameOf).join(', ')}`,
        'Name a column for each, or a number that it is taken to be',
      )
  }

  /** Channels that nothing tells. */
  untold(): Channel[] {
    return this.spec.channels.filter((_, i) => typeof this.mapping.proprio !== 'string' && this.tells[i] === undefined)
  }

  private tellOf({ name, role, unit }: Channel): Tell | undefined {
    const { proprio, pose, gripper } = this.mapping
    const given = typeof proprio === 'string' ? undefined : proprio[name]
    if (typeof given === 'number') return () => given
    if (typeof given === 'string') return (read, frame) => read(given, frame)[0]!
    if (given) return (read, frame) => given.offset + given.scale * read(given.column, frame)[0]!
    const [vector, axisName] = (role ?? '').split('.')
    const axis = AXES.indexOf(axisName ?? '')
    if (pose && vector === 'position') return (_, frame, { tools }) => tools![frame]!.position[axis]!
    if (pose && vector === 'turn')
      return (_, frame, { tools }) => turnFrom(this.spec.home, tools![frame]!.rotation)[axis]!
    if (pose && vector === 'velocity')
      return (_, frame, { tools, period }) =>
        frame === 0 ? 0 : (tools![frame]!.position[axis]! - tools![frame - 1]!.position[axis]!) / period
    if (gripper && role === 'grip') return (_, _frame, { grip }) => grip
    const opening = gripper?.opening
    if (opening !== undefined && role === 'opening')
      return (read, frame) => (read(opening, frame)[0]! - gripper!.closed) / (gripper!.open - gripper!.closed)
    const joint = this.chain?.joints.indexOf(name) ?? -1
    if (pose?.kind === 'joints' && joint >= 0 && unit === 'rad')
      return (read, frame) => anglesIn(pose, this.chain!, read, frame)[joint]!
    return undefined
  }
}
