/** @file Settings of the networks and the learner, with defaults, bounds and help text. */
import { z } from 'zod'

const positive = (text: string) => z.number().gt(0).describe(text)
const count = (text: string, least = 1) => z.int().min(least).describe(text)

export const NetworkConfig = z.strictObject({
  hidden: count('width of both hidden layers of heads and critics').default(256),
  proprioWidth: count('width of the proprio projection').default(64),
  sees: z
    .enum(['features', 'h'])
    .default('features')
    .describe(
      'what critics and refinement actor see of the images: feature maps, pooled by themselves, or the embedding h',
    ),
  spatialEmbeddings: count('learned spatial embeddings per channel').default(8),
  bottleneck: count('width of the pooled image features').default(256),
  members: count('critics in the ensemble of each task', 2).default(2),
  criticsMove: z
    .enum(['head', 'noise'])
    .default('head')
    .describe(
      'what the critics move of the primary actor (dual, single): the weights of its head, the paper, or the noise that its heads denoise where nothing is said',
    ),
  pastHeads: count(
    'heads that were renewed away and still act along: the action is the mean of all; 0 is the paper',
    0,
  ).default(0),
  gripperGain: z
    .number()
    .min(1)
    .default(1)
    .describe('gain on the gripper entry of the policy’s action, clipped to [-1, 1]; 1 is the paper'),
})
export type NetworkConfig = z.infer<typeof NetworkConfig>

export const LearnerConfig = z.strictObject({
  batch: count('samples of one update, over all tasks').default(256),
  discount: z.number().gt(0).lt(1).default(0.98).describe('per 100 ms step'),
  targetRate: z.number().gt(0).max(1).default(0.005).describe('share by which target critics follow, per critic step'),
  learningRate: positive('Adam').default(3e-4),
  maxGradientNorm: positive('global-norm clip of each group').default(10),
  criticStepsPerActorStep: count('online critic steps for one step of the actors').default(2),
  returnSteps: count('n: steps that a TD target sums over at most; 1 is the paper').default(1),
  boundedTargets: z
    .boolean()
    .default(false)
    .describe('whether TD targets are clipped to [0, 1], where the returns of a success lie; false is the paper'),
  cloningSteps: count(
    'steps of the primary actor on its cloning term alone, before each joint update; 0 is the paper',
    0,
  ).default(0),
  clones: z
    .enum(['interventions', 'successful interventions', 'successes'])
    .default('interventions')
    .describe(
      'what of the online phase is cloned beside demonstrations; interventions is the paper. successful interventions: those of episodes with a reward. successes: all steps of such episodes, whoever acted',
    ),
  interventionShare: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('share of interventions among the cloned samples; left out, every step counts alike'),
  actorAverage: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('rate at which the head that acts follows the head that learns; 1 is the paper: they are one'),
  renewal: z
    .strictObject({
      every: count(
        'online updates between two renewals of the primary head: fresh parameters, cloned anew; 0 is the paper: never',
        0,
      ).default(0),
      cloningSteps: count('cloning steps of a fresh head before it acts').default(3000),
      over: count('updates before the renewal over which these steps are spread').default(300),
    })
    .refine(({ every, over }) => every === 0 || over <= every, 'over: at most as many as every')
    .prefault({}),
  generation: count(
    'online updates of a generation; then heads, critics and noise actor begin anew, and learn as in the warm-up while the policy of before acts; more than warmUp.updates; 0 is the paper: one for ever',
    0,
  ).default(0),
  inputNoise: z
    .number()
    .min(0)
    .default(0)
    .describe(
      "noise on the actor's h and proprio while it learns, in their standard deviations; less of it where there are many demonstrations; 0 is the paper",
    ),
  bcTerm: z.enum(['reconstruction', 'direct']).default('reconstruction').describe('cloning term of the primary actor'),
  noiseGain: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("g: how far unit noise moves the action; 0 is the paper's form"),
  ranking: z
    .strictObject({
      weight: z
        .number()
        .min(0)
        .default(0)
        .describe(
          "weight of the critics' ranking term, online: what an operator did is worth more than what the policy would do there; 0 is the paper",
        ),
      slope: positive('by how much, of Q, for each action unit between the two motions').default(0.05),
    })
    .prefault({}),
  conservativeWeight: z.number().min(0).default(0.1).describe('alpha of Cal-QL; 0: the warm-up is TD alone'),
  conservativeSamples: count('sampled actions of each of the three sources').default(10),
  conservativeForm: z
    .enum(['conrft', 'plain'])
    .default('conrft')
    .describe('whether the data action joins the log-sum-exp'),
  taskWeight: z
    .strictObject({
      c: positive('offset').default(0.1),
      min: positive('lower clip').default(0.8),
      max: positive('upper clip').default(1.2),
    })
    .prefault({}),
  refinement: z
    .strictObject({
      batch: count('talk-and-tweak samples of one step').default(128),
      bcWeight: z.number().min(0).default(1).describe('eta_1'),
      qWeight: z.number().min(0).default(0.1).describe('eta_2'),
      nullWeight: z.number().min(0).default(0.1).describe('eta_3: with no command it must do nothing'),
      obedience: z.number().min(0).default(0).describe('weight of the self-supervised command term; 0 is the paper'),
      shift: z
        .number()
        .gt(0)
        .max(1)
        .default(0.3)
        .describe('action units that a command asks for along each of its axes'),
      startAfter: count('labelled steps before its first update').default(50),
    })
    .prefault({}),
})
export type LearnerConfig = z.infer<typeof LearnerConfig>
