/** @file The presets: partial settings that pass through the schema. */
import type { RunConfig } from './config.ts'

type Partial_<T> = { [K in keyof T]?: T[K] extends object ? Partial_<T[K]> : T[K] }

const QUICK = {
  demonstrations: { noise: 0.2 },
  networks: { sees: 'h', criticsMove: 'noise', gripperGain: 5, pastHeads: 4 },
  replay: { shiftedCopies: 0 },
  warmUp: { updates: 1000, heads: 5, cloningSteps: 3000 },
  online: { robotMinutes: 15, lockstep: true, updatesPerStep: 0.3 },
  learner: {
    noiseGain: 0.1,
    cloningSteps: 1,
    clones: 'successful interventions',
    inputNoise: 0.25,
    actorAverage: 0.002,
    renewal: { every: 900 },
    returnSteps: 5,
    boundedTargets: true,
    targetRate: 0.01,
    conservativeWeight: 0,
    ranking: { weight: 1 },
    refinement: { obedience: 1 },
  },
  evaluation: { noise: 0.5 },
} as const satisfies Partial_<RunConfig>

/**
 * Where presets differ from the paper, whose constants are the schema's own defaults. `practice` is `quick` for robots that
 * nobody corrects: heads begin anew on what succeeded (decision 68). `paper` ties the updates to the simulated robots' steps,
 * keeps the warm-up's λ₂ online, and acts by an average of the head: with the published two it falls (decision 83).
 */
export const presets: Record<'tiny' | 'quick' | 'practice' | 'paper', Partial_<RunConfig>> = {
  tiny: {
    tasks: ['pick', 'assemble'],
    demonstrations: { perTask: 2 },
    networks: { hidden: 32, proprioWidth: 16, spatialEmbeddings: 2, bottleneck: 32 },
    replay: { shiftedCopies: 0 },
    warmUp: { updates: 60 },
    online: { robotMinutes: 0.5, lockstep: true, updatesPerStep: 0.2, publishEvery: 20, startAfter: 20 },
    learner: { batch: 32, refinement: { batch: 16, startAfter: 4 }, conservativeSamples: 2, noiseGain: 0.1 },
    evaluation: { trials: 2, noise: 0.5, threads: 1 }, // a thread takes longer to open than two trials
    checkpointEveryRobotMinutes: 0.1,
  },
  quick: QUICK,
  practice: {
    ...QUICK,
    online: { ...QUICK.online, robotMinutes: 30, updatesPerStep: 1 },
    learner: { ...QUICK.learner, clones: 'successes', generation: 6000, renewal: { every: 0 } },
  },
  paper: { online: { lockstep: true, qWeight: 0.1 }, learner: { actorAverage: 0.002 } },
}
export type PresetName = keyof typeof presets

/** Where nobody says which. */
export const USUAL_PRESET: PresetName = 'quick'
