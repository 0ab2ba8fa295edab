/** @file A trained policy from its checkpoint, ready to act in the robot that it was trained on. */
import type { Device } from '../graph/index.ts'
import { type ActorSizes, actorLayouts, actorSizes } from '../learn/actors.ts'
import { readPolicy } from '../learn/checkpoint.ts'
import { Policy } from '../learn/policy.ts'
import { Perception } from '../loop/perception.ts'
import { mergeSettings, parseConfig, type RunConfig } from './config.ts'
import { findCheckpoint, RunFolder } from './folder.ts'
import { readNormalisers } from './preparation.ts'
import { openSession, type Session } from './session.ts'

export type Trained = {
  folder: RunFolder // of its run
  config: RunConfig
  checkpoint: string
  session: Session
  sizes: ActorSizes
  perception: Perception
  policy: Policy
  close(): Promise<void>
}

/** `path` is a run folder or one of its checkpoints; `robot`, settings of it, and `device` are what differs now. @throws InputError if files are missing, damaged or do not fit each other */
export async function openTrained(
  path: string,
  robot: Record<string, unknown> = {},
  device?: Device,
): Promise<Trained> {
  const { checkpoint, run } = findCheckpoint(path)
  const { folder, config: trained } = RunFolder.open(run)
  const config = parseConfig(run, mergeSettings(trained, { robot, ...(device && { device }) }))
  const session = await openSession(config)
  for (const { robot } of session.rigs) robot.supervisedBy([]) // whoever started this sits at the terminal
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
