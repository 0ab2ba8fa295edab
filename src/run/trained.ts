/** @file A trained policy, of a checkpoint, of a file or of a server, ready to act in a robot. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { InputError } from '../errors.ts'
import type { Device } from '../graph/index.ts'
import { type ActorSizes, actorLayouts, actorSizes } from '../learn/actors.ts'
import { readPolicy } from '../learn/checkpoint.ts'
import { Normaliser, type NormaliserState } from '../learn/normaliser.ts'
import type { Planner } from '../learn/planner.ts'
import { type ActorParameters, Policy } from '../learn/policy.ts'
import { Perception } from '../loop/perception.ts'
import { expectFittingRobot, type PolicyAbout } from '../policies/about.ts'
import { openPolicyModel } from '../policies/file.ts'
import type { FiledPolicy } from '../policies/filed-policy.ts'
import { RemotePolicy } from '../policies/remote-policy.ts'
import type { EncoderDescription } from '../vla/encoder.ts'
import type { RunConfig } from './config.ts'
import { findCheckpoint, RunFolder } from './folder.ts'
import { readNormalisers } from './preparation.ts'
import { fileSettings, mergeSettings, parseConfig, withOwnTasks } from './resolve.ts'
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
  copy?: PolicyCopy // for another thread; a server's policy has none
  close(): Promise<void>
}

/** What a policy is, as data: a policy file, or the parameters of a run's actors and what stands before them. */
export type PolicyCopy =
  | { file: string }
  | { actors: ActorParameters; normalisers: Record<'h' | 'proprio', NormaliserState> }

/** All that another thread needs in order to act as a policy does, in a robot of its own. */
export type ActingSetup = { config: RunConfig; cell: string; policy: PolicyCopy }

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
  return attended(config, async (session) => {
    const sizes = actorSizesIn(session, config)
    const actors = await readPolicy(checkpoint, actorLayouts(sizes, config.method))
    const normalisers = readNormalisers(checkpoint, session.encoder.description)
    const copy = { actors, normalisers: { h: normalisers.h.save(), proprio: normalisers.proprio.save() } }
    return { folder, checkpoint, sizes, ...(await actingBy(session, config, copy)) }
  })
}

/** The same policy again. @throws InputError as where it was opened first */
export async function openCopy({
  config: whole,
  cell,
  policy,
}: ActingSetup): Promise<Omit<ActingPolicy, 'checkpoint'>> {
  const config = parseConfig('policy', mergeSettings(whole, { robot: { cells: [cell] } }))
  if ('file' in policy) return actingByFile(policy.file, await openPolicyModel(policy.file), config)
  return attended(config, (session) => actingBy(session, config, policy))
}

const actorSizesIn = ({ encoder, robot, commands }: Session, { networks }: RunConfig): ActorSizes =>
  actorSizes(networks, encoder.description, robot.spec.channels.length, commands.width)

async function actingBy(
  session: Session,
  config: RunConfig,
  copy: Extract<PolicyCopy, { actors: unknown }>,
): Promise<Pick<Trained, 'config' | 'session' | 'perception' | 'policy' | 'copy' | 'close'>> {
  const policy = await Policy.create(actorSizesIn(session, config), session.commands, config.method)
  policy.setParameters(copy.actors)
  const normalisers = { h: new Normaliser(copy.normalisers.h), proprio: new Normaliser(copy.normalisers.proprio) }
  return {
    config,
    session,
    perception: new Perception(session.encoder, session.instructions, normalisers),
    policy,
    copy,
    async close() {
      await policy.release()
      await session.close()
    },
  }
}

/** In a session of whoever sits at the terminal: nobody else supervises. It may hold a robot, and is closed where `use` fails. */
async function attended<T>(config: RunConfig, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(config)
  for (const { robot } of session.rigs) robot.supervisedBy([])
  try {
    return await use(session)
  } catch (error) {
    await session.close()
    throw error
  }
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
  let config: RunConfig
  try {
    const given = settings === undefined ? {} : (fileSettings(settings) as Record<string, unknown>)
    const merged = mergeSettings({ ...policy.about.settings, ...given }, { robot, ...(device && { device }) })
    config = parseConfig(settings ?? path, merged)
  } catch (error) {
    await policy.release()
    throw error
  }
  const version = Number.parseInt(createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 8), 16)
  return { checkpoint: path, version, ...(await actingByFile(path, policy, config)) }
}

/** Whatever fails, the policy is released. */
async function actingByFile(
  path: string,
  policy: FiledPolicy,
  config: RunConfig,
): Promise<Omit<ActingPolicy, 'checkpoint'>> {
  const { about } = policy
  try {
    return await attended(config, async (session) => {
      expectFittingRobot(path, about, session.robot.spec)
      if (!about.encoder.inside) expectEncoder(path, about, session.encoder.description)
      return {
        config,
        session,
        perception: bareEyes(session, about.encoder.inside ? undefined : session.encoder),
        policy,
        copy: { file: path },
        async close() {
          await policy.release()
          await session.close()
        },
      }
    })
  } catch (error) {
    await policy.release()
    throw error
  }
}

/** A policy at the other end of a wire. @throws InputError if nobody answers there, or for another robot */
export async function openServed(server: string, { settings, robot = {} }: Elsewhere = {}): Promise<ActingPolicy> {
  const given = settings === undefined ? {} : fileSettings(settings)
  const config = parseConfig(settings ?? server, withOwnTasks(given, { robot }))
  return attended(config, async (session) => {
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
  })
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
