/** @file Requests to a SERL server: all by POST, each with a time limit, and in words what was wrong with an answer. */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { InputError } from '../../errors.ts'
import { type FaultKind, RobotFault } from '../../robot/fault.ts'

/** What is wrong with a server: before anything moves somebody's input, afterwards a fault of the robot. */
export class ServerTrouble extends Error {
  override name = 'ServerTrouble'
  constructor(
    readonly where: string,
    readonly what: string,
    readonly remedy: string,
    readonly kind: FaultKind,
    options?: ErrorOptions,
  ) {
    super(`${where}: ${what}`, options)
  }
}

export const asInputError = (error: unknown): unknown =>
  error instanceof ServerTrouble ? new InputError(error.where, error.what, error.remedy, { cause: error }) : error

export const asFault = (error: unknown): RobotFault =>
  error instanceof RobotFault
    ? error
    : new RobotFault(error instanceof ServerTrouble ? error.kind : 'robot', (error as Error).message, { cause: error })

const START = 'Start the SERL server of this arm, and check its address (robot.url)'
const LOOK = "Look at the server's own output"

export class ServerConnection {
  private readonly agent = new Agent({ keepAlive: true })

  /** `url` ends with "/" or not. `patience`: s, for queries and commands that return at once. */
  constructor(
    readonly url: string,
    private readonly patience: number,
  ) {}

  /** @throws ServerTrouble where it does not answer 200 in time */
  async command(route: string, body?: unknown, patience = this.patience): Promise<void> {
    await this.post(route, body, patience)
  }

  /** @throws ServerTrouble where it does not answer with JSON in time */
  async query(route: string): Promise<unknown> {
    const { text } = await this.post(route, undefined, this.patience)
    try {
      return JSON.parse(text)
    } catch (cause) {
      const where = this.at(route)
      const number = /[[:,]\s*(NaN|-?Infinity)\b/.exec(text)?.[1]
      if (number)
        throw new ServerTrouble(
          where,
          `tells ${number}: the state of the arm is lost`,
          'Restart the server and its controller, and look at the arm',
          'sensor',
        )
      const shown = text.trimStart().startsWith('<') ? 'with a page (HTML)' : `"${text.slice(0, 40)}"`
      throw new ServerTrouble(
        where,
        `answers ${shown} where JSON is expected`,
        `Is this a SERL server? ${LOOK}`,
        'robot',
        {
          cause,
        },
      )
    }
  }

  close(): void {
    this.agent.destroy()
  }

  at(route: string): string {
    return new URL(route, this.url.endsWith('/') ? this.url : `${this.url}/`).href
  }

  private async post(route: string, body: unknown, patience: number): Promise<{ text: string }> {
    const where = this.at(route)
    const { status, text } = await this.exchange(where, body, patience)
    if (status === 200) return { text }
    const [what, remedy] = REFUSALS[status] ?? [`answers ${status}`, LOOK]
    throw new ServerTrouble(where, what, remedy, 'robot')
  }

  private exchange(where: string, body: unknown, patience: number): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? '' : JSON.stringify(body)
      const headers = {
        'content-length': Buffer.byteLength(payload),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      }
      const silent = () =>
        new ServerTrouble(
          where,
          `is silent for ${1000 * patience} ms`,
          `Is it overloaded, or is the network? ${LOOK}`,
          'no answer',
        )
      let sent: ClientRequest
      // An answer that came while this program was busy is read before the server is blamed.
      const timer = setTimeout(() => setImmediate(() => setImmediate(() => sent.destroy(silent()))), 1000 * patience)
      const settle = () => clearTimeout(timer)
      const send = (again: boolean): ClientRequest => {
        const asked = request(
          where,
          { method: 'POST', agent: this.agent, headers },
          (response) =>
            void textOf(response).then((text) => {
              settle()
              resolve({ status: response.statusCode ?? 0, text })
            }, fail),
        )
        const fail = (error: NodeJS.ErrnoException) => {
          // A kept connection that the server closed just then: the request never got there.
          if (again && asked.reusedSocket && error.code === 'ECONNRESET') {
            sent = send(false)
            return
          }
          settle()
          reject(error instanceof ServerTrouble ? error : unreachable(where, error))
        }
        asked.on('error', fail)
        asked.end(payload)
        return asked
      }
      sent = send(true)
    })
  }
}

const REFUSALS: Record<number, [what: string, remedy: string]> = {
  404: ['is not a route of this server (404)', 'Is this a SERL server? Check robot.url'],
  405: ['takes no POST (405)', 'Is this a SERL server? Check robot.url'],
  500: [
    'fails inside the server (500)',
    `${LOOK}: has the arm told a state yet, is its gripper_type the one in robot.gripper, are the parameters known to it?`,
  ],
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

function unreachable(where: string, error: NodeJS.ErrnoException): ServerTrouble {
  const what =
    error.code === 'ECONNREFUSED'
      ? 'nobody listens there (connection refused)'
      : `cannot be reached: ${error.message || error.code}`
  return new ServerTrouble(where, what, START, 'no answer', { cause: error })
}
