/** @file Demonstrations that lie in a folder, whoever wrote them: a log of ours, or a LeRobot dataset by a mapping. */
import { InputError } from '../errors.ts'
import { isLerobotSet, LerobotDataset } from '../formats/lerobot/dataset.ts'
import { SetMapping, type SetMotion } from '../formats/lerobot/mapping.ts'
import { type Proposal, propose } from '../formats/lerobot/propose.ts'
import { LerobotSource } from '../formats/lerobot/source.ts'
import { LogSource } from '../replay/log-source.ts'
import type { EpisodeSource } from '../replay/source.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { chainOf, openChain } from '../robots/index.ts'
import type { RunConfig } from './config.ts'

type Config = Pick<RunConfig, 'robot' | 'tasks' | 'demonstrations'>

/** @throws InputError if it is a dataset that nobody has mapped, or whose mapping does not fit it */
export async function demonstrationsIn(folder: string, config: Config, spec: RobotSpec): Promise<EpisodeSource> {
  if (isLerobotSet(folder)) return openMapped(await LerobotDataset.open(folder), config, spec)
  if (config.demonstrations.mapping)
    throw new InputError(
      folder,
      'holds no LeRobot dataset, and demonstrations.mapping is of one',
      'Leave the mapping out',
    )
  return new LogSource(folder, spec)
}

/** By the config's mapping; a dataset of the robot's own needs none. @throws InputError */
export async function openMapped(dataset: LerobotDataset, config: Config, spec: RobotSpec): Promise<LerobotSource> {
  const mapping = config.demonstrations.mapping ?? (await mappingOfOwn(dataset, config, spec))
  const chain = async (told: SetMotion | undefined) =>
    told?.kind === 'joints' ? openChain(config.robot, told) : undefined
  return LerobotSource.open(dataset, mapping, spec, {
    motion: await chain(mapping.motion),
    pose: await chain(mapping.pose),
  })
}

export const proposeMapping = (dataset: LerobotDataset, { robot, tasks }: Config, spec: RobotSpec): Promise<Proposal> =>
  propose({ dataset, spec, chain: chainOf(robot), tasks })

async function mappingOfOwn(dataset: LerobotDataset, config: Config, spec: RobotSpec): Promise<SetMapping> {
  const { mapping, check } = await proposeMapping(dataset, config, spec)
  if (mapping && check.length === 0) return SetMapping.parse(mapping)
  throw new InputError(
    dataset.folder,
    'is a LeRobot dataset, and demonstrations.mapping does not say what its columns mean',
    `Have one proposed: duet data map ${dataset.folder}, with the same --config`,
  )
}
