/** @file An actor's end of a session: asks for the learner until it answers. */
import { randomBytes } from 'node:crypto'
import { decodeError, type ErrorData } from '../../errors.ts'
import { type ChannelEvents, LinkChannel } from './channel.ts'
import { decodeDatagram, encodeDatagram } from './datagram.ts'
import { downSubject, upSubject, type Wire } from './wire.ts'

const ASK_EVERY = 500 // ms

/** `welcome`: what the learner said to it. */
export type Dialled = { channel: LinkChannel; welcome: Uint8Array }

/**
 * Resolves when the learner takes the actor in. Nobody may be there for as long as it likes: `signal` ends the asking.
 * @throws what the learner refuses it with, or the reason of `signal`
 */
export function dial(
  wire: Wire,
  { run, robot }: { run: string; robot: string },
  hello: Uint8Array,
  { signal, ...events }: ChannelEvents & { signal?: AbortSignal } = {},
): Promise<Dialled> {
  const session = randomBytes(8).toString('hex')
  const up = upSubject(run, robot)
  const open = encodeDatagram({ kind: 'open', session, number: 0, more: false, payload: hello })
  return new Promise((resolve, reject) => {
    let channel: LinkChannel | undefined
    const leave = wire.subscribe(downSubject(run, robot), (_, bytes) => {
      const datagram = decodeDatagram(bytes)
      if (datagram?.session !== session) return
      if (channel) channel.receive(datagram)
      else if (datagram.kind === 'accept') accepted(datagram.payload.slice())
      else if (datagram.kind === 'refuse') give(refusal(datagram.payload))
    })
    const ask = () => wire.publish(up, open)
    const asking = setInterval(ask, ASK_EVERY)
    const unwatch = wire.onBack(ask)
    const settle = () => {
      clearInterval(asking)
      unwatch()
      signal?.removeEventListener('abort', aborted)
    }
    const give = (error: unknown) => {
      settle()
      leave()
      reject(error)
    }
    const aborted = () => give(signal!.reason)
    const accepted = (welcome: Uint8Array) => {
      settle()
      const back = wire.onBack(() => opened.resend())
      const opened = new LinkChannel(session, (bytes) => wire.publish(up, bytes), {
        onLost: events.onLost,
        onOver: () => {
          back()
          leave()
        },
      })
      channel = opened
      resolve({ channel: opened, welcome })
    }
    if (signal?.aborted) return aborted()
    signal?.addEventListener('abort', aborted)
    ask()
  })
}

function refusal(payload: Uint8Array): Error {
  try {
    return decodeError(JSON.parse(Buffer.from(payload).toString()) as ErrorData)
  } catch {
    return new Error('the learner refuses, in words that cannot be read')
  }
}
