/** @file A policy of a run or a file as a server offers it: no robot is opened, its limits hold all the same. */
import type { Device } from '../graph/index.ts'
import { expectFittingRobot } from '../policies/about.ts'
import { openPolicyModel, openPolicyOf } from '../policies/file.ts'
import type { FiledPolicy } from '../policies/filed-policy.ts'
import { type GivenNames, wireNames } from '../policies/names.ts'
import type { ServedPolicy } from '../policies/serve/client-episode.ts'
import { defaultLimits, type SafetyLimits } from '../robot/guard.ts'
import { safetyLimitsOf } from '../robot/real-config.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { describeRobot } from '../robots/index.ts'
import { openTranslator } from '../talk/translator.ts'
import type { RunConfig } from './config.ts'
import { translatorSettings } from './label-rule.ts'
import { exportedPolicy } from './policy-export.ts'
import { mergeSettings, parseConfig } from './resolve.ts'
import { openMinds } from './session.ts'
import { expectEncoder } from './trained.ts'

export type ServingOptions = { names: GivenNames; seed: number; spread?: number; device?: Device }

export type OpenServedPolicy = ServedPolicy & { close(): Promise<void> }

/** @throws InputError if the run holds no policy */
export async function servedRun(run: string, options: ServingOptions): Promise<OpenServedPolicy> {
  const { network, about } = await exportedPolicy(run)
  return serving(await openPolicyOf(run, network, about), options)
}

/** @throws InputError if the file is damaged, or its encoder is not here */
export const servedFile = async (file: string, options: ServingOptions): Promise<OpenServedPolicy> =>
  serving(await openPolicyModel(file), options)

async function serving(
  policy: FiledPolicy,
  { names, seed, spread, device }: ServingOptions,
): Promise<OpenServedPolicy> {
  const { path, about } = policy
  const config = parseConfig(path, mergeSettings(about.settings, device && { device }))
  const spec = describeRobot(config.robot, config.robot.cells[0]!)
  expectFittingRobot(path, about, spec)
  const encoder = about.encoder.inside ? undefined : await outsideEncoder(policy, config, spec)
  return {
    policy,
    encoder,
    spec,
    limits: limitsOf(config, spec),
    names: wireNames(Object.keys(about.robot.cameras), names),
    seed,
    spread: spread ?? about.noise,
    async close() {
      await policy.release()
      await encoder?.close()
    },
  }
}

async function outsideEncoder({ path, about }: FiledPolicy, config: RunConfig, spec: RobotSpec) {
  const { encoder } = await openMinds(config, spec, openTranslator(translatorSettings(config, spec)))
  expectEncoder(path, about, encoder.description)
  return encoder
}

/** Nothing breaks in a simulation: force has no limit there. */
const limitsOf = ({ robot }: RunConfig, spec: RobotSpec): SafetyLimits =>
  'safety' in robot ? safetyLimitsOf(robot.safety, spec) : { ...defaultLimits, force: Number.POSITIVE_INFINITY }
