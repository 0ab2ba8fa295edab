/** @file What a learner is told of its run: it sees no config. */
import { basename } from 'node:path'
import type { ActorSizes } from '../learn/actors.ts'
import type { Copies } from '../loop/perception.ts'
import type { RobotSpec } from '../robot/robot.ts'
import type { RunConfig } from './config.ts'
import type { RunFolder } from './folder.ts'
import { translatorSettings } from './label-rule.ts'
import type { LearnerSetup } from './learner-process.ts'
import type { Session } from './session.ts'

const FIGURES_EVERY = 10 // updates between two lines of the metrics log

export function learnerSetup(
  folder: Pick<RunFolder, 'path' | 'checkpoints'>,
  config: RunConfig,
  session: Pick<Session, 'encoder' | 'commandTable'> & { robot: { spec: RobotSpec } },
  sizes: ActorSizes,
  copies: Copies,
  checkpoint: string | undefined,
): LearnerSetup {
  const { warmUp, online, learner, tasks, replay } = config
  const { featureShape } = session.encoder.description
  return {
    run: basename(folder.path),
    checkpoints: folder.checkpoints,
    checkpoint,
    figuresEvery: FIGURES_EVERY,
    learner: {
      method: config.method,
      tasks,
      sizes,
      learner,
      seed: config.seed,
      onlineAfter: online.startAfter,
      warmUp: { updates: warmUp.updates, heads: warmUp.heads, cloningSteps: warmUp.cloningSteps },
      lambda: {
        'warm-up': { bc: warmUp.bcWeight, q: warmUp.qWeight },
        online: { bc: online.bcWeight, q: online.qWeight },
      },
    },
    commandTable: session.commandTable,
    translator: translatorSettings(config, session.robot.spec),
    replay: {
      tasks,
      embeddingWidth: sizes.embedding,
      proprioWidth: sizes.proprio,
      featureShape,
      copies: copies.count,
      discount: learner.discount,
      returnSteps: learner.returnSteps,
      clones: learner.clones,
      idle: online.exploration.after,
      demonstrationCapacity: replay.capacity,
      onlineCapacity: replay.capacity,
    },
  }
}
