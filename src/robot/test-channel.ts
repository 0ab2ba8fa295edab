/**
 * @file For tests of whoever drives a served robot, and only where asked for: how its scene truly is, start states, what it was
 * told and when, and faults that are put in by hand. By HTTP; a policy must not reach it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { requestPath } from '../request-path.ts'

/** What a served robot lets its tests do. */
export interface Tested {
  /** As it truly is, whatever its sensors say. */
  truth(): object
  /** Brings the scene to a start state, as a person would. @throws Error for a task that it does not have */
  lay(start: { task: string; seed: number }): void
  /** By name, what goes wrong from then on, or no longer. */
  readonly faults: Readonly<Record<string, (on: boolean) => void>>
}

/** `at`: ms since 1970. `motion`: it asked for something else than to stay. */
export type Received = { at: number; motion: boolean }

const KEPT = 100_000 // commands: hours at 10 Hz

const Lay = z.strictObject({ task: z.string(), seed: z.int().min(0) })
const Put = z.strictObject({ name: z.string(), on: z.boolean() })
const Since = z.strictObject({ since: z.number() })

/** ms since 1970, finer than Date.now() and never going back. */
export const epochNow = (): number => performance.timeOrigin + performance.now()

export class TestChannel {
  private readonly received: Received[] = []

  constructor(private readonly tested: Tested) {}

  /** The robot took a command just now. */
  note(motion: boolean): void {
    this.received.push({ at: epochNow(), motion })
    if (this.received.length > KEPT) this.received.shift()
  }

  /** Answers POST below /truth. @returns false where the request is for something else */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const pathname = requestPath(request) ?? ''
    if (!/^\/truth(\/|$)/.test(pathname)) return false
    void this.answer(pathname.slice('/truth'.length), request).then(
      (answer) => reply(response, 200, answer ?? {}),
      (error: Error) => reply(response, 400, { error: error.message }),
    )
    return true
  }

  private async answer(what: string, request: IncomingMessage): Promise<object | undefined> {
    const parts: Buffer[] = []
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
    const body = () => JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (what === '') return this.tested.truth()
    if (what === '/commands') {
      const { since } = Since.parse(body())
      return { commands: this.received.filter(({ at }) => at > since) }
    }
    if (what === '/lay') this.tested.lay(Lay.parse(body()))
    else if (what === '/fault') this.put(Put.parse(body()))
    else throw new Error(`there is no ${what}; there are /lay, /fault and /commands`)
  }

  private put({ name, on }: z.infer<typeof Put>): void {
    const { faults } = this.tested
    if (!Object.hasOwn(faults, name)) throw new Error(`there is no fault "${name}": ${Object.keys(faults).join(', ')}`)
    faults[name]!(on)
  }
}

const REMEMBERED = 100 // poses that were told

/** Tells a command to move from one to stay: that asks for a pose which the robot was told to be in lately, or for the last one again. */
export class MotionWatch {
  private readonly told: (readonly number[])[] = []
  private last: readonly number[] = []

  /** `near`: difference of each number up to which two poses are the same. */
  constructor(private readonly near: number) {}

  tell(pose: readonly number[]): void {
    this.told.push([...pose])
    if (this.told.length > REMEMBERED) this.told.shift()
  }

  asksForMotion(pose: readonly number[]): boolean {
    const same = (other: readonly number[]) => pose.every((value, i) => Math.abs(value - other[i]!) <= this.near)
    const stays = same(this.last) || this.told.some(same)
    this.last = [...pose]
    return !stays
  }
}

function reply(response: ServerResponse, status: number, answer: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}
