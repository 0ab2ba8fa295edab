/**
 * @file Somebody else's policy at the other end of openpi's wire, as a planner of this program: a large one on a machine with
 * a GPU plans, and is corrected and recorded here. What comes back goes through the robot's own envelope like any plan.
 */
import { type RawData, WebSocket } from 'ws'
import { InputError } from '../errors.ts'
import { NumpyArray, numbersOf, type PackableMap, pack, type Unpacked, unpack } from '../formats/msgpack.ts'
import type { Planner, Sighting } from '../learn/planner.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import { ACTION_WIDTH, type Action, type RobotSpec } from '../robot/robot.ts'
import { OneAtATime } from '../vla/one-at-a-time.ts'
import { expectFittingRobot, type PolicyAbout, parseAbout } from './about.ts'
import { type GivenNames, type WireNames, wireNames } from './names.ts'

export type RemoteSettings = {
  server: string // ws://host:port
  steps: number // of an answer that are taken before the next question
  patience: number // s
  names: GivenNames
}

const START = 'Start the policy server, and check its address'

export class RemotePolicy implements Planner {
  private readonly turns = new OneAtATime()
  private plan: Action[] = [] // what is left of the last answer

  private constructor(
    private readonly settings: RemoteSettings,
    private readonly spec: RobotSpec,
    private readonly names: WireNames,
    private readonly line: Line,
    readonly about: PolicyAbout | undefined, // of a server of ours
  ) {}

  /** @throws InputError if nobody answers as a policy server, or it is one of ours with a policy for another robot */
  static async connect(settings: RemoteSettings, spec: RobotSpec): Promise<RemotePolicy> {
    const { server, patience } = settings
    const { line, about } = await greet(server, patience)
    try {
      if (about) expectFittingRobot(server, about, spec)
      const names = wireNames(Object.keys(about?.robot.cameras ?? spec.cameras), settings.names)
      if (names.state.length > 1)
        throw new InputError(
          'plan.names.state',
          `names ${names.state.length} parts`,
          'A server is told all readings under one name: give one, and take them apart there',
        )
      return new RemotePolicy(settings, spec, names, line, about)
    } catch (error) {
      line.close()
      throw error
    }
  }

  /** A server of ours says which commands its policy follows; of another nothing is known. */
  get followsCommands(): boolean {
    return (this.about?.commands.length ?? 0) > 0
  }

  async primary(_: EncodedObservation, xi: Float32Array, sighting: Sighting): Promise<Action> {
    if (sighting.afresh) this.plan = []
    if (this.plan.length === 0) this.plan = await this.ask(sighting, xi)
    return this.plan.shift()!
  }

  async refined(_: EncodedObservation, command: string, xi: Float32Array, sighting: Sighting): Promise<Action> {
    return (await this.ask(sighting, xi, command))[0]!
  }

  async release(): Promise<void> {
    this.line.close()
  }

  private async ask({ observation, task, afresh }: Sighting, xi: Float32Array, command?: string): Promise<Action[]> {
    const { names, spec, about, settings } = this
    const pictures = Object.entries(names.cameras).map(([camera, name]): [string, NumpyArray] => {
      const { width, height, data } = observation.images[camera]!
      return [name, NumpyArray.bytes(data, [height, width, 3])]
    })
    const message: PackableMap = {
      ...Object.fromEntries(pictures),
      [names.state[0]!]: NumpyArray.floats(observation.proprio),
      [names.prompt]: spec.tasks[task]!.instruction,
      ...(about && { noise: NumpyArray.floats(xi) }),
      ...(about && afresh && command === undefined && { reset: true }),
      ...(command !== undefined && { [names.command]: command }),
    }
    const answer = await this.turns.run(() => this.line.exchange(pack(message), settings.patience))
    return actionsIn(unpack(answer, settings.server), settings.server).slice(0, settings.steps)
  }
}

/** All of its rows. @throws InputError where one is no action: nothing is passed on */
function actionsIn(answer: Unpacked, where: string): Action[] {
  const actions = answer instanceof Map ? answer.get('actions') : undefined
  if (!(actions instanceof NumpyArray))
    throw new InputError(where, 'answers without an array "actions"', 'Is this a policy server of openpi?')
  const [rows, width] = actions.shape.length === 1 ? [1, actions.shape[0]!] : actions.shape
  if (actions.shape.length > 2 || !rows || width !== ACTION_WIDTH)
    throw new InputError(
      `${where}, actions`,
      `are [${actions.shape}], expected [steps,${ACTION_WIDTH}]`,
      'Serve a policy whose actions are dx dy dz, droll dpitch dyaw, gripper, each in [-1, 1]',
    )
  const values = numbersOf(actions, `${where}, actions`)
  const wrong = values.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0)
    throw new InputError(
      `${where}, actions`,
      `have ${values[wrong]} in step ${Math.floor(wrong / ACTION_WIDTH)}`,
      'Look at the policy',
    )
  return Array.from({ length: rows }, (_, row) => values.slice(row * ACTION_WIDTH, (row + 1) * ACTION_WIDTH))
}

/** What a server tells of itself when somebody comes. */
async function greet(server: string, patience: number): Promise<{ line: Line; about: PolicyAbout | undefined }> {
  if (!/^wss?:\/\/./.test(server))
    throw new InputError(`policy server ${server}`, 'is no address of a websocket', 'Write e.g. ws://127.0.0.1:8000')
  const line = new Line(server)
  try {
    const metadata = unpack(await line.next(patience), server)
    const said = metadata instanceof Map ? metadata.get('duet') : undefined
    return { line, about: typeof said === 'string' ? parseAbout(server, said) : undefined }
  } catch (error) {
    line.close()
    throw error
  }
}

/** A websocket on which messages come by turns. */
class Line {
  private readonly socket: WebSocket
  private waiting: { resolve(message: Uint8Array): void; reject(error: Error): void } | null = null
  private early: Uint8Array | null = null // a message that came while nobody waited: the first one may
  private lost: Error | null = null

  constructor(private readonly server: string) {
    this.socket = new WebSocket(server, { perMessageDeflate: false, maxPayload: 0 })
    this.socket.on('message', (data, isBinary) => this.came(data, isBinary))
    this.socket.on('error', (error) => this.lose(`cannot be reached (${error.message || 'nobody answers'})`))
    this.socket.on('close', () => this.lose('has ended the connection'))
  }

  async exchange(message: Uint8Array, patience: number): Promise<Uint8Array> {
    // Of a server that answers twice, the second answer may come after the next question as well as before it.
    if (this.early) this.lose('has sent a message that nobody asked for')
    if (this.lost) throw this.lost
    this.socket.send(message)
    return this.next(patience)
  }

  /** @throws InputError where none comes in time */
  next(patience: number): Promise<Uint8Array> {
    if (this.lost) return Promise.reject(this.lost)
    const { early } = this
    this.early = null
    if (early) return Promise.resolve(early)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.lose(`is silent for ${patience} s`), 1000 * patience)
      const after =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          settle(value)
        }
      this.waiting = { resolve: after(resolve), reject: after(reject) }
    })
  }

  close(): void {
    this.socket.terminate()
  }

  private came(data: RawData, isBinary: boolean): void {
    if (!isBinary) {
      this.lose(`refuses: ${String(data).trim().split('\n').at(-1)}`) // the last line of Python's tracebacks says what it is
      return
    }
    const { waiting } = this
    this.waiting = null
    if (waiting) waiting.resolve(data as Buffer)
    else this.early = data as Buffer
  }

  /** An answer that comes late must not be taken for one to a later question: the line is given up. */
  private lose(what: string): void {
    this.lost ??= new InputError(`policy server ${this.server}`, what, START)
    this.waiting?.reject(this.lost)
    this.waiting = null
    this.socket.terminate()
  }
}
