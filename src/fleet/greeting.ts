/** @file What an actor and the learner say to one another before anything else: who asks, and what it needs to act. */
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { LINK_VERSION } from '../link/codec.ts'
import { PolicyAbout } from '../policies/about.ts'
import { duetVersion } from '../run/version.ts'
import { Cursor } from './intake.ts'

const Encoder = z.object({ name: z.string(), hash: z.string() })

const ActorHello = z.object({
  link: z.int(), // version of the messages
  duet: z.string(),
  host: z.string(),
  process: z.string(), // drawn at random when it starts
  robot: PolicyAbout.shape.robot.optional(), // left out by one that has no config yet, and asks for it
  encoder: Encoder.optional(),
})
export type ActorHello = z.infer<typeof ActorHello>

const Statistics = z.object({ mean: z.array(z.number()), deviation: z.array(z.number().gt(0)) })

const Welcome = z.object({
  id: z.string().optional(), // of the run, whatever it is called; learners of earlier versions tell none
  config: z.record(z.string(), z.unknown()), // of the run
  encoder: Encoder,
  normalisers: z.object({ h: Statistics, proprio: Statistics }),
  place: z.object({ index: z.int().min(0), of: z.int().min(1) }), // see OnlineRecorder
  firstEpisode: z.int().min(0), // demonstrations come before it
  have: Cursor.nullable(), // what the learner has of this robot
})
export type Welcome = z.infer<typeof Welcome>

export const helloOf = (hello: Omit<ActorHello, 'link' | 'duet'>): Uint8Array =>
  Buffer.from(JSON.stringify({ link: LINK_VERSION, duet: duetVersion(), ...hello } satisfies ActorHello))

/** @throws InputError if it is none, or that of a version whose messages this one cannot read */
export function readHello(robot: string, bytes: Uint8Array): ActorHello {
  const where = `robot "${robot}"`
  const hello = parsed(where, ActorHello, bytes)
  if (hello.link === LINK_VERSION) return hello
  const what = `runs Duet ${hello.duet}, whose messages are of version ${hello.link}; the learner runs ${duetVersion()}, of version ${LINK_VERSION}`
  throw new InputError(where, what, 'Run the same version of Duet at both ends')
}

export const welcomeBytes = (welcome: Welcome): Uint8Array => Buffer.from(JSON.stringify(welcome))

/** `where`: who says it, or the file that keeps it. @throws InputError if it is none */
export const readWelcome = (where: string, bytes: Uint8Array): Welcome => parsed(where, Welcome, bytes)

/**
 * A run that was begun anew under an old name has other weights, scales and numbers: on those of the old one a robot would
 * act at random, and tell what it did long ago. `folder`: of what is known. @throws InputError
 */
export function expectSameRun(folder: string, known: Pick<Welcome, 'id'>, said: Pick<Welcome, 'id'>): void {
  if (known.id === undefined || said.id === undefined || known.id === said.id) return
  throw new InputError(
    folder,
    'is of an earlier run, and its learner is that of another one under the same name',
    'Move it away, or give another --folder: what is in it stays as it is',
  )
}

const Length = z.object({ online: z.object({ robotMinutes: z.number().min(0) }) })

/** How long the run is to be, robot minutes: a resume may change it. Undefined where the learner does not say. */
export const lengthOf = ({ config }: Pick<Welcome, 'config'>): number | undefined =>
  Length.safeParse(config).data?.online.robotMinutes

function parsed<T>(where: string, schema: z.ZodType<T>, bytes: Uint8Array): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString()))
  } catch (cause) {
    throw new InputError(where, 'says what this Duet cannot read', 'Run the same version of Duet at both ends', {
      cause,
    })
  }
}
