/** @file What of a run becomes a policy file: its newest actors, their normalisers, the encoder, and what is known of it all. */
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { InputError } from '../errors.ts'
import { actorLayouts, actorSizes } from '../learn/actors.ts'
import { readPolicy } from '../learn/checkpoint.ts'
import type { Summary } from '../metrics/summary.ts'
import { aboutRobot, POLICY_FORMAT, type PolicyAbout } from '../policies/about.ts'
import type { PolicyNetwork } from '../policies/network.ts'
import { describeRobot } from '../robots/index.ts'
import { openTranslator } from '../talk/translator.ts'
import type { EncoderDescription } from '../vla/encoder.ts'
import { isModel } from '../vla/hub/catalogue.ts'
import { loadNano, NANO_FOLDER, type NanoWeights } from '../vla/nano/weights.ts'
import type { RunConfig } from './config.ts'
import { findCheckpoint, RunFolder } from './folder.ts'
import { translatorSettings } from './label-rule.ts'
import { readNormalisers } from './preparation.ts'
import { openMinds } from './session.ts'
import { duetVersion } from './version.ts'

export type ExportedPolicy = { network: PolicyNetwork; about: PolicyAbout }

/** `path`: a run folder or one of its checkpoints. No robot is opened. @throws InputError if files are missing or damaged */
export async function exportedPolicy(path: string): Promise<ExportedPolicy> {
  const { checkpoint, run } = findCheckpoint(path)
  const { folder, config } = RunFolder.open(run)
  const spec = describeRobot(config.robot, config.robot.cells[0]!)
  const translator = openTranslator(translatorSettings(config, spec))
  const minds = await openMinds(config, spec, translator)
  try {
    const { encoder, commands } = minds
    const { description } = encoder
    const sizes = actorSizes(config.networks, description, spec.channels.length, commands.width)
    const layouts = actorLayouts(sizes, config.method)
    const parameters = await readPolicy(checkpoint, layouts)
    const weights = await nanoInside(config, description)
    const said = layouts.refine ? translator.commands.all : [] // without a refinement actor nobody listens
    const instructions = config.tasks.map((task) => spec.tasks[task]!.instruction)
    const { name, hash, licence, source, embeddingWidth } = description
    return {
      network: {
        method: config.method,
        sizes,
        parameters,
        normalisers: readNormalisers(checkpoint, description),
        commands: said.map((command) => commands.embed(command)),
        ...(weights && { encoder: { weights, instructions } }),
      },
      about: {
        format: POLICY_FORMAT,
        duet: duetVersion(),
        run: basename(folder.path),
        checkpoint: basename(checkpoint),
        method: config.method,
        robot: aboutRobot(spec, weights ? weights.config.cameras : Object.keys(spec.cameras)),
        tasks: config.tasks.map((task, i) => ({ name: task, instruction: instructions[i]! })),
        commands: [...said],
        encoder: { name, hash, licence, source, embeddingWidth, inside: weights !== undefined },
        noise: config.evaluation.noise,
        trained: checkpoint === folder.latestCheckpoint() ? trainedOf(folder) : undefined, // figures are of the run's end
        settings: withoutPlaces(config),
      },
    }
  } finally {
    await minds.encoder.close()
  }
}

/** Nano is small enough to go into the file; with a ResNet's features beside it, it is not nano any more. */
async function nanoInside(config: RunConfig, { name, hash }: EncoderDescription): Promise<NanoWeights | undefined> {
  if (name !== 'nano') return undefined
  const weights = await loadNano(config.vlaPath ?? NANO_FOLDER)
  return weights.hash === hash ? weights : undefined
}

function trainedOf(folder: RunFolder): PolicyAbout['trained'] {
  if (!existsSync(folder.summary)) return undefined
  let summary: Summary
  try {
    summary = JSON.parse(readFileSync(folder.summary, 'utf8')) as Summary
  } catch (cause) {
    throw new InputError(folder.summary, 'is no JSON', 'Delete it: the policy is exported without figures', { cause })
  }
  if (summary.soFar) return undefined // its last evaluation was of another policy
  const { robotMinutes, interventionShare, tasks } = summary
  return {
    robotMinutes,
    interventionShare,
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([task, { step0, success, trials, interval }]) => [
        task,
        { ...(step0 === undefined ? {} : { step0 }), success, trials, interval },
      ]),
    ),
  }
}

/** Where files lie is nobody's business who has the policy; names of pulled models stay. */
function withoutPlaces({ demonstrations, ...config }: RunConfig): Record<string, unknown> {
  const { path: _, ...demonstrated } = demonstrations
  const paths = ['vlaPath', 'resnetPath', 't5Path'] as const
  const kept = Object.entries(config).filter(
    ([name, value]) => !paths.some((path) => path === name) || (typeof value === 'string' && isModel(value)),
  )
  return { ...Object.fromEntries(kept), demonstrations: demonstrated }
}
