/** @file A trained policy, of a checkpoint, of a file or of a server, ready to act in a robot. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { InputError } from '../errors.ts'
import type { Device } from '../graph/index.ts'
import { type ActorSizes, actorLayouts, actorSizes } from '../learn/actors.ts'
import { readPolicy } from '../learn/checkpoint.ts'
import type { Planner } from '../learn/planner.ts'
import { Policy } from '../learn/policy.ts'
import { Perception } from '../loop/perception.ts'
import { expectFittingRobot, type PolicyAbout } from '../policies/about.ts'
import { openPolicyModel } from '../policies/file.ts'
import { RemotePolicy } from '../policies/remote-policy.ts'
import type { EncoderDescription } from '../vla/encoder.ts'
import type { RunConfig } from './config.ts'
import { findCheckpoint, RunFolder } from './folder.ts'
import { readNormalisers } from './preparation.ts'
import { fileSettings, mergeSettings, parseConfig } from './resolve.ts'
import { openSession, type Session } from './session.ts'

/** Somebody who can act, and a robot to act in. */
export type ActingPolicy = {
  folder?: RunFolder // of its run, where there is one here
  config: RunConfig
  checkpoint: string // where the policy comes from
  version?: number // of a policy file: another content has another one
  session: Session
  perception: Perception
  policy: Planner
  close(): Promise<void>
}

export type Trained = ActingPolicy & { folder: RunFolder; sizes: ActorSizes; policy: Policy }

/** `path` is a run folder or one of its checkpoints; `robot`, settings of it, and `device` are what differs now. @throws InputError if files are missing, damaged or do not fit each other */
export async function openTrained(
  path: string,
  robot: Record<string, unknown> = {},
  device?: Device,
): Promise<Trained> {
  const { checkpoint, run } = findCheckpoint(path)
  const { folder, config: trained } = RunFolder.open(run)
  const config = parseConfig(run, mergeSettings(trained, { robot, ...(device && { device }) }))
  const session = await openAttended(config)
  const { encoder, commands } = session
  const sizes = actorSizes(config.networks, encoder.description, session.robot.spec.channels.length, commands.width)
  const policy = await Policy.create(sizes, commands, config.method)
  policy.setParameters(await readPolicy(checkpoint, actorLayouts(sizes, config.method)))
  return {
    folder,
    config,
    checkpoint,
    session,
    sizes,
    perception: new Perception(encoder, session.instructions, readNormalisers(checkpoint, encoder.description)),
    policy,
    async close() {
      await policy.release()
      await session.close()
    },
  }
}

/** A session of whoever sits at the terminal: nobody else supervises. */
async function openAttended(config: RunConfig): Promise<Session> {
  const session = await openSession(config)
  for (const { robot } of session.rigs) robot.supervisedBy([])
  return session
}

const ASIS = { apply: (row: Float32Array) => row }

/** Where the policy makes all of it from what the robot tells. */
const unencoded = {
  encode: async (inputs: readonly unknown[]) => inputs.map(() => ({ h: NOTHING, features: NOTHING })),
}
const NOTHING = new Float32Array()

/** A perception that leaves to the policy what is its own: normalising, and encoding unless there is an encoder. */
const bareEyes = (session: Session, encoder: Pick<Session['encoder'], 'encode'> = unencoded) =>
  new Perception(encoder, session.instructions, { h: ASIS, proprio: ASIS })

/** What differs now from the run that the policy comes from: `settings` of a config file, and single settings of the robot. */
export type Elsewhere = { settings?: string; robot?: Record<string, unknown>; device?: Device }

/** @throws InputError if the file is damaged, of another robot or of another encoder */
export async function openFiled(path: string, { settings, robot = {}, device }: Elsewhere = {}): Promise<ActingPolicy> {
  const policy = await openPolicyModel(path)
  try {
    const { about } = policy
    const given = settings === undefined ? {} : (fileSettings(settings) as Record<string, unknown>)
    const merged = mergeSettings({ ...about.settings, ...given }, { robot, ...(device && { device }) })
    const config = parseConfig(settings ?? path, merged)
    const session = await openAttended(config)
    try {
      expectFittingRobot(path, about, session.robot.spec)
      if (!about.encoder.inside) expectEncoder(path, about, session.encoder.description)
    } catch (error) {
      await session.close()
      throw error
    }
    return {
      config,
      checkpoint: path,
      version: Number.parseInt(createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 8), 16),
      session,
      perception: bareEyes(session, about.encoder.inside ? undefined : session.encoder),
      policy,
      async close() {
        await policy.release()
        await session.close()
      },
    }
  } catch (error) {
    await policy.release()
    throw error
  }
}

/** A policy at the other end of a wire. @throws InputError if nobody answers there, or for another robot */
export async function openServed(server: string, { settings, robot = {} }: Elsewhere = {}): Promise<ActingPolicy> {
  const given = settings === undefined ? {} : fileSettings(settings)
  const config = parseConfig(settings ?? server, mergeSettings(given, { robot }))
  const session = await openAttended(config)
  try {
    const { steps, patience, names } = config.plan
    const policy = await RemotePolicy.connect({ server, steps, patience, names }, session.robot.spec)
    return {
      config,
      checkpoint: server,
      session,
      perception: bareEyes(session),
      policy,
      async close() {
        await policy.release()
        await session.close()
      },
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

/** @throws InputError where the policy was trained on top of another encoder */
export function expectEncoder(where: string, { encoder }: PolicyAbout, present: EncoderDescription): void {
  if (encoder.hash === present.hash) return
  throw new InputError(
    where,
    `is of encoder ${encoder.name} ${encoder.hash.slice(0, 12)}, present is ${present.name} ${present.hash.slice(0, 12)}`,
    'Give the weights that the policy was trained with (vlaPath)',
  )
}
