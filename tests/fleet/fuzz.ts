/** @file Throws mangled bytes at all that a learner reads from its robots' port, and counts what came of them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { InputError, ShapeError } from '../../src/errors.ts'
import { helloOf, readHello } from '../../src/fleet/greeting.ts'
import { Intake } from '../../src/fleet/intake.ts'
import { encodeMessage } from '../../src/link/codec.ts'
import type { LinkChannel } from '../../src/link/nats/channel.ts'
import { encodeDatagram } from '../../src/link/nats/datagram.ts'
import { listen } from '../../src/link/nats/listen.ts'
import { upSubject, type Wire } from '../../src/link/nats/wire.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { mangled } from '../link/mangled.ts'
import { aReplay, SHAPE } from '../replay/numbered.ts'
import { experienceInto, whole } from './told.ts'

const SESSION = '00112233445566ff'
const HELLO = helloOf({ host: 'here', process: 'one' })

export type Fuzzed = {
  taken: number // messages that were whole and fitting after all
  refused: number // with an error that says what is wrong
  sessions: number // that datagrams opened
  arrived: number // messages that came through them
  strange: string[] // other errors: what should not be
}

/** A wire on which only the learner is; what it hears is what a test says. */
function deaf() {
  const heard: { subject: string; listener: (subject: string, bytes: Uint8Array) => void }[] = []
  const wire: Wire = {
    publish: () => {},
    subscribe: (subject, listener) => {
      heard.push({ subject, listener })
      return () => {}
    },
    onBack: () => () => {},
    close: async () => {},
  }
  const say = (robot: string, bytes: Uint8Array) => {
    for (const { subject, listener } of heard)
      if (subject === upSubject('arms', '*')) listener(upSubject('arms', robot), bytes)
  }
  return { wire, say }
}

/** A third as datagrams, the rest as messages. `folder`: for a journal of what was good. */
export async function fuzz(count: number, seed: number, folder: string): Promise<Fuzzed> {
  const random = new RandomStream(seed, 'fuzz')
  const fuzzed: Fuzzed = { taken: 0, refused: 0, sessions: 0, arrived: 0, strange: [] }
  const note = (error: unknown) => {
    if (error instanceof InputError || error instanceof ShapeError) fuzzed.refused++
    else if (fuzzed.strange.length < 20) fuzzed.strange.push(String((error as Error)?.stack ?? error))
  }
  mkdirSync(folder, { recursive: true })
  let episode = 64
  const standing = { kind: 'standing', standing: { does: 'acts', lag: null, fault: null } }
  const ofEpisode = () => [
    ...whole({ episode, steps: 3 }).map((bytes) => new Uint8Array(bytes)),
    new Uint8Array(encodeMessage({ head: standing, arrays: [] })),
  ]
  let messages = ofEpisode()
  const open = (kind: 'open' | 'data' | 'got' | 'bye', number: number, payload: Uint8Array) =>
    encodeDatagram({ kind, session: SESSION, number, more: false, payload })
  const datagrams = [
    open('open', 0, HELLO),
    open('data', 1, messages[0]!),
    open('data', 2, messages[1]!),
    open('got', 1, new Uint8Array(0)),
    open('bye', 0, new Uint8Array(0)),
  ]
  const intake = await Intake.open(join(folder, `${seed}.experience`), {
    origin: { run: 'arms', robot: 'A' },
    shape: { ...SHAPE, copies: 1 },
    tasks: ['place', 'pick'],
    experience: experienceInto(aReplay()),
  })
  const { wire, say } = deaf()
  const channels: LinkChannel[] = []
  const leave = await listen(wire, 'arms', (robot, hello) => {
    readHello(robot, hello)
    return {
      welcome: new Uint8Array(0),
      opened(channel) {
        fuzzed.sessions++
        channels.push(channel)
        channel.on('message', () => fuzzed.arrived++)
      },
    }
  })
  /** A good episode: where a damaged message of it has counted, it may be known, or not fit any more. */
  const actWell = async () => {
    for (const bytes of whole({ episode, steps: 3 })) if (await intake.take(bytes).catch(note)) fuzzed.taken++
    episode = Math.max(episode, intake.have?.episode ?? 0) + 64
    messages = ofEpisode()
  }
  for (let i = 0; i < count; i++) {
    try {
      if (i % 3 === 0) say(random.uniform() < 0.5 ? 'A' : 'B', mangled(datagrams, random))
      else if (await intake.take(mangled(messages, random).buffer)) fuzzed.taken++
    } catch (error) {
      note(error)
    }
    if (i % 200 === 199) await actWell()
    if (i % 3000 === 2999) await new Promise((resolve) => setImmediate(resolve)) // timers have their turn
  }
  const taken = fuzzed.taken
  await actWell()
  if (fuzzed.taken !== taken + 5) fuzzed.strange.push('a good episode was not taken in after all of that')
  for (const channel of channels) channel.abandon()
  leave()
  await intake.close()
  return fuzzed
}
