/** @file Every setting of a run in one schema: types, defaults, bounds, help text, and whether a resumed run may have it anew. */
import { z } from 'zod'
import { SetMapping } from '../formats/lerobot/mapping.ts'
import { DEVICES } from '../graph/index.ts'
import { METHODS } from '../learn/actors.ts'
import { LearnerConfig, NetworkConfig } from '../learn/config.ts'
import { PlanConfig } from '../policies/config.ts'
import { RewardConfig } from '../reward/config.ts'
import { RobotConfig } from '../robots/index.ts'
import { ENCODERS } from '../vla/encoders.ts'
import { PRECISIONS } from '../vla/int8/precision.ts'

/** With `--resume`: what was recorded and learned before stays what it is with another value. Said of each setting, or of a group. */
const MAY_CHANGE = { mayChange: true }
/** A run has it for its whole life. */
const FIXED = { mayChange: false }

const positive = (text: string) => z.number().gt(0).describe(text)
const count = (text: string, least = 1) => z.int().min(least).describe(text)

const DemonstrationConfig = z.strictObject({
  perTask: count('demonstrations per task and robot that the warm-up starts from').default(20),
  noise: z.number().min(0).max(0.5).default(0.05).describe('spread of the demonstrator, action units'),
  by: z
    .enum(['expert', 'person'])
    .default('expert')
    .describe(
      'who demonstrates in simulation. person: by a device, seen late, one or two axes at a time at a few speeds, the gripper by a button',
    ),
  path: z
    .string()
    .optional()
    .describe(
      'folder of recorded demonstrations, or of a LeRobot dataset (of further robots: in subfolders named by their cells); without it they are recorded at the start',
    )
    .meta(MAY_CHANGE),
  mapping: SetMapping.optional().describe(
    'of a LeRobot dataset: what its columns mean to the robot, as `duet data map` proposes it',
  ),
})

const ReplayConfig = z.strictObject({
  capacity: count('transitions kept in memory', 1000).default(200_000).meta(MAY_CHANGE),
  shiftedCopies: count('augmented copies of each observation, encoded once on arrival', 0).default(1),
  shift: count('pixels that the images of a copy are shifted by at most', 0).default(4),
})

const WarmUpConfig = z.strictObject({
  updates: count('joint updates on demonstrations before the first online step', 0).default(20_000),
  heads: count('heads that are cloned in turn and act together at step 0; 1 is the paper').default(1),
  cloningSteps: count('cloning steps of each of them, beside those of the joint updates; 0 is the paper', 0).default(0),
  bcWeight: z.number().min(0).default(1).describe('lambda_1 of the primary actor'),
  qWeight: z.number().min(0).default(0.1).describe('lambda_2 of the primary actor'),
})

const OnlineConfig = z.strictObject({
  robotMinutes: z
    .number()
    .min(0)
    .default(60)
    .describe('length of the online phase (steps of one robot / 10 Hz); several robots act at the same time')
    .meta(MAY_CHANGE),
  bcWeight: z.number().min(0).default(0.5).describe('lambda_1 of the primary actor'),
  qWeight: z.number().min(0).default(0.5).describe('lambda_2 of the primary actor'),
  pace: positive('speed of a simulated robot against real time, 1000 where it is left out; a real robot runs at 1')
    .optional()
    .meta(MAY_CHANGE),
  lockstep: z
    .boolean()
    .default(false)
    .describe('tie updates to steps of a simulated robot, so that a seed gives one curve on every machine'),
  updatesPerStep: positive('joint updates for each step of any robot in lock-step mode').default(0.5),
  publishEvery: count(
    'steps of all robots (lock-step) or updates (free) between two publications to the actors',
  ).default(50),
  startAfter: count('online transitions before the first update', 0).default(100),
  exploration: z
    .strictObject({
      after: count(
        'steps for which the arm stands still, in practice, before something else is tried; 0 is the paper: never',
        0,
      ).default(0),
      hold: count('steps for which it is tried').default(3),
      reach: z.number().min(0).max(1).default(0.5).describe('largest entry of a translation that is tried'),
      gripper: z.number().min(0).max(1).default(0.5).describe('how often it is the hand that opens or closes instead'),
    })
    .prefault({}),
})

const OperatorConfig = z.strictObject({
  kind: z.enum(['simulated', 'none']).default('simulated').describe('who tends the robot'),
  strength: z
    .enum(['strong', 'weak', 'person'])
    .default('strong')
    .describe('weak: later, noisier, sometimes wrong. person: as demonstrations.by says'),
  speaks: z
    .boolean()
    .default(false)
    .describe(
      'the simulated operator says a command where the error is small, and takes over where it is not, where words do not help, or where the method follows none',
    ),
})

const TalkConfig = z.strictObject({
  window: count('J: steps that one command sums over').default(5),
  threshold: positive('sigma: metres an axis must move to be spoken of').default(0.001),
})

const EvaluationConfig = z.strictObject({
  threads: count(
    'trials of simulated robots at the same time, each with an encoder of its own; 0: half of the cores, at most 4, with nano, else 1',
    0,
  )
    .default(0)
    .meta(MAY_CHANGE),
  trials: count('fresh seeds per task at the end and before the first online step', 1).default(25).meta(MAY_CHANGE),
  everyRobotMinutes: positive('robot minutes between two evaluations on the way').default(10).meta(MAY_CHANGE),
  trialsOnTheWay: count('trials per task of an evaluation on the way', 0).default(0).meta(MAY_CHANGE),
  firstSeed: z.int().default(1_000_000).describe('evaluation seeds start here; training never reaches them'),
  noise: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("spread of the policy's noise in evaluations; 1 is that of practice and of the paper, 0 none"),
  exploration: count(
    'steps for which the arm stands still in an evaluation before something is tried as in practice (online.exploration); 0: never',
    0,
  ).default(0),
})

export const RunConfig = z.strictObject({
  seed: z.int().min(0).default(0).describe('all random streams of the run derive from it').meta(FIXED),
  method: z
    .enum(METHODS)
    .default('dual')
    .describe('how the policy is trained: ours, or a baseline on the same networks')
    .meta(FIXED),
  tasks: z
    .array(z.string())
    .min(1)
    .default(['place', 'pick', 'assemble'])
    .describe('tasks that share the policy')
    .meta(FIXED),
  vla: z.enum(ENCODERS).default('nano').describe('the frozen encoder').meta(FIXED),
  vlaPath: z
    .string()
    .optional()
    .describe(
      "folder with the encoder's published files, or the name of a pulled model; without it what `duet pull` fetched for it",
    )
    .meta(MAY_CHANGE),
  vlaLayer: count('smolvla: layer whose keys and values make the embedding, from 0; without it the last', 0)
    .optional()
    .meta(FIXED),
  vlaCameras: z
    .record(z.string(), z.string().nullable())
    .default({})
    .describe(
      "smolvla, octo: the robot's camera for a camera of the encoder, as vlaCameras.camera1=wrist; null leaves one empty. Others are paired by the published rename_map, by name, then in order",
    )
    .meta(FIXED),
  vlaStatistics: z
    .string()
    .min(1)
    .optional()
    .describe(
      "smolvla: data set among the checkpoint's statistics that normalises the state, or `none`; without it the only one there is",
    )
    .meta(FIXED),
  precision: z
    .enum(PRECISIONS)
    .default('f32')
    .describe(
      'smolvla, octo: numbers that the encoder multiplies. int8 is two to three times as fast on a processor that multiplies bytes; f16 is for a GPU. Where one of them cannot be had, f32 is used and said',
    )
    .meta(FIXED),
  device: z
    .enum(DEVICES)
    .default('cpu')
    .describe('where the frozen encoder runs; actors and learner stay on the CPU')
    .meta(MAY_CHANGE),
  resnetPath: z
    .string()
    .optional()
    .describe(
      "resnet10_params.pkl, or `resnet10` after `duet pull resnet10`: its visual features in place of the encoder's own",
    )
    .meta(MAY_CHANGE),
  t5Path: z
    .string()
    .optional()
    .describe(
      "folder with a T5's published files, or `t5-base` after `duet pull t5-base`: it embeds the commands in place of the built-in embedding",
    )
    .meta(FIXED),
  robot: RobotConfig.prefault({}).meta(FIXED),
  reward: RewardConfig.prefault({}).meta(FIXED),
  demonstrations: DemonstrationConfig.prefault({}).meta(FIXED),
  replay: ReplayConfig.prefault({}).meta(FIXED),
  networks: NetworkConfig.prefault({}).meta(FIXED),
  warmUp: WarmUpConfig.prefault({}).meta(FIXED),
  online: OnlineConfig.prefault({}).meta(FIXED),
  learner: LearnerConfig.prefault({}).meta(FIXED),
  plan: PlanConfig.prefault({}).meta(MAY_CHANGE),
  operator: OperatorConfig.prefault({}).meta(MAY_CHANGE),
  talk: TalkConfig.prefault({}).meta(FIXED),
  evaluation: EvaluationConfig.prefault({}).meta(FIXED),
  checkpointEveryRobotMinutes: positive('robot minutes between two checkpoints').default(5).meta(MAY_CHANGE),
  keepCheckpoints: count('checkpoints that are kept, the newest ones').default(3).meta(MAY_CHANGE),
})
export type RunConfig = z.infer<typeof RunConfig>
