/**
 * @file One client of a policy server, from an observation to an answer. What its robot was told last, what its gripper is
 * asked for, the noise and a stop are its own: clients know nothing of each other.
 */
import { InputError } from '../../errors.ts'
import { NumpyArray, numbersOf, type PackableMap, type Unpacked } from '../../formats/msgpack.ts'
import { RandomStream } from '../../random/stream.ts'
import { vectorOf } from '../../robot/channels.ts'
import { describeFault } from '../../robot/fault.ts'
import { type AskedGrip, canonicalAction, GRIPPER_ENTRY, gripAfter, toldGrip } from '../../robot/gripper.ts'
import { guard, holdAction, type SafetyLimits } from '../../robot/guard.ts'
import { ACTION_WIDTH, type Action, type Image, type RobotSpec } from '../../robot/robot.ts'
import { findSensorFault } from '../../robot/senses.ts'
import { toolPose } from '../../robot/tool-pose.ts'
import { understandPhrase } from '../../talk/phrases.ts'
import type { VlaEncoder } from '../../vla/encoder.ts'
import type { FiledPolicy } from '../filed-policy.ts'
import type { WireNames } from '../names.ts'

/** What all clients of a server share. */
export type ServedPolicy = {
  policy: FiledPolicy
  encoder?: VlaEncoder // where it is not inside the policy
  spec: RobotSpec
  limits: SafetyLimits
  names: WireNames
  seed: number
  spread: number // of the noise where a client sends none
}

/** Beside what openpi knows: the noise of this action, and "what you planned last is not what happened". */
const NOISE = 'noise'
const RESET = 'reset'

const MESSAGE = 'observation'

export class ClientEpisode {
  private sent: Action = holdAction()
  private grip: AskedGrip = 0
  private stopped = false
  private readonly random: RandomStream

  constructor(
    private readonly served: ServedPolicy,
    client: number, // counts them
  ) {
    this.random = new RandomStream(served.seed, `served client ${client}`)
  }

  /** @throws InputError where the observation is not the policy's, or no action may come of it */
  async answer(message: Unpacked): Promise<PackableMap> {
    if (!(message instanceof Map)) throw new InputError(MESSAGE, 'is no map of names to arrays', 'Send a flat map')
    const { policy, encoder, spec } = this.served
    const state = this.stateIn(message)
    const images = this.imagesIn(message)
    const task = this.taskIn(message)
    this.expectSensible(state, images)
    if (message.get(RESET) === true) this.begin()
    this.grip = gripAfter(toldGrip(spec.channels, state), this.grip)
    const heard = this.heardIn(message)
    if (heard.halted) return this.answerOf(canonicalAction(holdAction(), this.grip), { ...heard, actor: 'hold' })
    const noise = this.noiseIn(message)
    const instruction = spec.tasks[task]!.instruction
    const encoded = encoder && (await encoder.encode([{ images, proprio: state, instruction }]))[0]
    const { command } = heard
    const answer = await policy.answer({
      state,
      noise,
      ...(encoded ? { encoded } : { seen: { images, task } }),
      command,
    })
    const actor = command !== undefined && answer.refinement ? 'refinement' : 'primary'
    const action = this.guarded(actor === 'refinement' ? answer.refinement! : answer.primary, state)
    const embedding = encoded?.h ?? answer.embedding
    return this.answerOf(action, { ...heard, actor, ...(embedding && { embedding: NumpyArray.floats(embedding) }) })
  }

  private begin(): void {
    this.sent = holdAction()
    this.grip = 0
    this.stopped = false
  }

  /** What is told the robot, which counts as done from now on. */
  private answerOf(action: Action, rest: PackableMap): PackableMap {
    this.sent = action
    this.grip = gripAfter(action[GRIPPER_ENTRY]!, this.grip)
    return { actions: NumpyArray.floats(action, [1, ACTION_WIDTH]), ...rest }
  }

  /** The limits of the safety envelope, on this side of the wire. @throws InputError where they make it a fault: nothing moves */
  private guarded(planned: Action, state: Float32Array): Action {
    const { spec, limits } = this.served
    const at = vectorOf(spec.channels, 'position')
    const force = vectorOf(spec.channels, 'force')
    const { action, fault } = guard(
      planned,
      {
        previous: this.sent,
        grip: this.grip,
        position: at?.map((i) => state[i]!) ?? null,
        rotation: toolPose(spec)?.(state).rotation ?? null,
        force: force && Math.hypot(...force.map((i) => state[i]!)),
        commandAge: 0, // how long the wire takes is for the robot's own envelope to see
        heartbeatAge: 0,
        pictureAge: 0,
        blind: false, // and what its cameras show
        actionScale: spec.actionScale,
        fault: null,
      },
      limits,
    )
    if (fault) throw new InputError('safety envelope', `no action, ${describeFault(fault)}`, 'Look at the robot')
    return action
  }

  private stateIn(message: ReadonlyMap<string, Unpacked>): Float32Array {
    const { spec, names } = this.served
    const parts = names.state.map((name) => numbersOf(arrayIn(message, name), name))
    const width = parts.reduce((sum, { length }) => sum + length, 0)
    if (width !== spec.channels.length)
      throw new InputError(
        names.state.join(' and '),
        `has ${width} entries, the policy reads ${spec.channels.length}`,
        `They are ${spec.channels.map(({ name }) => name).join(', ')}`,
      )
    return Float32Array.from(parts.flatMap((part) => [...part]))
  }

  private imagesIn(message: ReadonlyMap<string, Unpacked>): Record<string, Image> {
    const { policy, names, spec } = this.served
    return Object.fromEntries(
      Object.keys(policy.about.robot.cameras).map((camera) => {
        const { width, height } = spec.cameras[camera]!
        const name = names.cameras[camera]!
        const { dtype, shape, data } = arrayIn(message, name)
        if (dtype !== '|u1' || shape.join() !== [height, width, 3].join())
          throw new InputError(
            name,
            `is ${dtype} [${shape}]`,
            `Send |u1 [${height},${width},3]: RGB, as the policy was trained`,
          )
        return [camera, { width, height, data }]
      }),
    )
  }

  /** By its instruction, or by its name; where there is one task nobody has to say which. */
  private taskIn(message: ReadonlyMap<string, Unpacked>): string {
    const { policy, names } = this.served
    const { tasks } = policy.about
    const said = message.get(names.prompt)
    if (said === undefined && tasks.length === 1) return tasks[0]!.name
    const known = tasks.map(({ instruction }) => `"${instruction}"`).join(', ')
    if (typeof said !== 'string') throw new InputError(names.prompt, 'is missing, or no text', `Send one of ${known}`)
    const plain = (text: string) => text.trim().toLowerCase()
    const task = tasks.find(({ name, instruction }) => [name, instruction].map(plain).includes(plain(said)))
    if (!task)
      throw new InputError(names.prompt, `is "${said}", which the policy never learned`, `Send one of ${known}`)
    return task.name
  }

  private noiseIn(message: ReadonlyMap<string, Unpacked>): Float32Array {
    const own = this.random.fillNormal(new Float32Array(ACTION_WIDTH), this.served.spread)
    if (!message.has(NOISE)) return own
    const noise = numbersOf(arrayIn(message, NOISE), NOISE)
    if (noise.length !== ACTION_WIDTH || !noise.every(Number.isFinite))
      throw new InputError(NOISE, `has ${noise.length} entries, or one that is no number`, `Send ${ACTION_WIDTH}`)
    return noise
  }

  /** Words that ask for a halt are heard whatever the policy follows; a stop stays until the client begins anew. */
  private heardIn(message: ReadonlyMap<string, Unpacked>) {
    const { policy, names } = this.served
    const said = message.get(names.command)
    if (said !== undefined && said !== null && typeof said !== 'string')
      throw new InputError(names.command, 'is no text', 'Send words, or leave it out')
    const phrase = typeof said === 'string' && said.trim() !== '' ? understandPhrase(said) : undefined
    if (phrase && 'stop' in phrase) this.stopped = true
    if (this.stopped) return { halted: `stop, until an observation with "${RESET}"` }
    if (phrase && 'pause' in phrase) return { halted: 'pause, as long as it is said' }
    if (!phrase) return {}
    if ('refused' in phrase) return { refused: phrase.refused }
    if (!policy.followsCommands) return { refused: 'This policy follows no commands.' }
    return { command: (phrase as { command: string }).command }
  }

  /** @throws InputError for a reading that no robot of this kind can tell */
  private expectSensible(proprio: Float32Array, images: Record<string, Image>): void {
    const { spec, names } = this.served
    const cameras = Object.fromEntries(Object.keys(images).map((camera) => [camera, spec.cameras[camera]!]))
    const fault = findSensorFault({ proprio, images, time: 0 }, { ...spec, cameras }, Number.POSITIVE_INFINITY)
    if (fault) throw new InputError(names.state.join(' and '), fault.what, 'Look at the robot and at its sensors')
  }
}

function arrayIn(message: ReadonlyMap<string, Unpacked>, name: string): NumpyArray {
  const value = message.get(name)
  if (value instanceof NumpyArray) return value
  const there = [...message.keys()].join(', ') || 'nothing'
  const what = value === undefined ? `is missing (there are: ${there})` : 'is no numpy array'
  throw new InputError(name, what, 'Send it, or say under which name it comes with --name')
}
