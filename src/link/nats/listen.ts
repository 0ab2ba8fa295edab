/** @file The learner's end of sessions: answers actors that ask for it, each under the name that its key may publish as. */
import { randomBytes } from 'node:crypto'
import { encodeError, InputError } from '../../errors.ts'
import { type ChannelEvents, LinkChannel } from './channel.ts'
import { type Datagram, decodeDatagram, encodeDatagram } from './datagram.ts'
import { downSubject, learnerSubject, upSubject, type Wire } from './wire.ts'

const OTHERS_ANSWER = 1000 // ms in which a second learner of a run would

/** What is said to an actor that is taken in, and what becomes of its session. */
export type Admission = ChannelEvents & { welcome: Uint8Array; opened: (channel: LinkChannel) => void }

type Session = { id: string; robot: string; channel?: LinkChannel; accept?: Uint8Array }

/**
 * Takes actors in until the returned function is called. What `answer` throws is what an actor is refused with. An actor
 * that asks under a new session has given up its last one.
 * @throws InputError if another learner serves this run
 */
export async function listen(
  wire: Wire,
  run: string,
  answer: (robot: string, hello: Uint8Array) => Admission,
): Promise<() => void> {
  const alone = await claim(wire, run)
  const sessions = new Map<string, Session>() // the newest of each robot
  const leave = wire.subscribe(upSubject(run, '*'), (subject, bytes) => {
    const datagram = decodeDatagram(bytes)
    const robot = subject.split('.').at(-1)!
    if (datagram) hear(robot, datagram)
  })
  const unwatch = wire.onBack(() => {
    for (const { channel } of sessions.values()) channel?.resend()
  })

  function hear(robot: string, datagram: Datagram): void {
    const known = sessions.get(robot)
    if (datagram.kind === 'open') {
      if (known?.id !== datagram.session) open(robot, datagram)
      else if (known.accept) wire.publish(downSubject(run, robot), known.accept) // the first answer was lost
    } else if (known?.id === datagram.session) {
      known.accept = undefined
      known.channel?.receive(datagram)
    } else if (datagram.kind !== 'bye') say(robot, datagram.session, 'bye')
  }

  function open(robot: string, { session, payload }: Datagram): void {
    let answered: Admission
    try {
      answered = answer(robot, payload.slice())
    } catch (error) {
      say(robot, session, 'refuse', Buffer.from(JSON.stringify(encodeError(error))))
      return
    }
    sessions.get(robot)?.channel?.abandon()
    const opened: Session = { id: session, robot }
    const { welcome, onLost } = answered
    opened.accept = encodeDatagram({ kind: 'accept', session, number: 0, more: false, payload: welcome })
    opened.channel = new LinkChannel(session, (bytes) => wire.publish(downSubject(run, robot), bytes), {
      onLost,
      onOver: () => {
        if (sessions.get(robot) === opened) sessions.delete(robot)
      },
    })
    sessions.set(robot, opened)
    wire.publish(downSubject(run, robot), opened.accept)
    answered.opened(opened.channel)
  }

  function say(robot: string, session: string, kind: 'bye' | 'refuse', payload = new Uint8Array(0)): void {
    wire.publish(downSubject(run, robot), encodeDatagram({ kind, session, number: 0, more: false, payload }))
  }

  return () => {
    for (const { channel } of sessions.values()) channel?.close()
    unwatch()
    alone()
    leave()
  }
}

/**
 * From now on a second learner of the run hears of this one. Of several that ask within the same second the lowest of their
 * numbers stays. @throws InputError if this is the second one
 */
async function claim(wire: Wire, run: string): Promise<() => void> {
  const own = randomBytes(8)
  const subject = learnerSubject(run)
  let first = false // serves already
  let taken = false
  const leave = wire.subscribe(subject, (_, bytes) => {
    const before = own.compare(bytes, 0, own.length)
    if (before === 0) return
    const asks = bytes.length === own.length
    if (asks && (first || before < 0)) wire.publish(subject, Buffer.concat([own, Buffer.of(Number(first))]))
    else if (before > 0 || bytes[own.length] === 1) taken = true
  })
  wire.publish(subject, own)
  await new Promise((resolve) => setTimeout(resolve, OTHERS_ANSWER))
  if (taken) {
    leave()
    throw new InputError(
      `run "${run}"`,
      'has a learner already, at this broker',
      'Stop that one, or give this run another name',
    )
  }
  first = true
  return leave
}
