/** @file (b) Every training step of preset `quick` as the learner takes it: batch from the replay, noise, program, Adam. */
import type { Program } from '../src/graph/index.ts'
import type { MethodName } from '../src/learn/actors.ts'
import { LearnerConfig, NetworkConfig } from '../src/learn/config.ts'
import { createStore, methodGroups } from '../src/learn/learner.ts'
import { methods } from '../src/learn/methods.ts'
import { RefinementSteps } from '../src/learn/refinement-step.ts'
import { Steps } from '../src/learn/steps.ts'
import { median } from '../src/metrics/statistics.ts'
import { presets } from '../src/run/presets.ts'
import { builtInCommandEncoder } from '../src/talk/embedding.ts'
import { LABEL_DEFAULTS } from '../src/talk/labels.ts'
import { ruleTranslator } from '../src/talk/translator.ts'
import { rounded } from './measure.ts'
import { EPISODE_STEPS, emptyReplay, fillReplay, NANO } from './random-replay.ts'

const TASKS = ['pick', 'insert', 'assemble']
const EPISODES = 60
const ROUNDS = 40
const WARM_UP = 5

const commands = builtInCommandEncoder()
const translator = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 })
const learner = LearnerConfig.parse({ ...presets.quick.learner, batch: 255 })
const quick = NetworkConfig.parse(presets.quick.networks)
const paper: NetworkConfig = { ...quick, criticsMove: 'head' }

/** Milliseconds of processor time. */
export type StepFigures = Record<string, number>

/** The steps by name, on one thread. */
export async function trainingSteps(): Promise<Record<string, () => unknown>> {
  const dual = await open('dual', paper)
  const dsrl = await open('dsrl', quick)
  const ours = await open('dual', quick)
  const [cloning, critic, warmUp, online] = dual.training.programs as [Program, Program, Program, Program]
  const [, noiseCritic, , noise] = dsrl.training.programs as [Program, Program, Program, Program]
  return {
    cloningMs: () => dual.step(cloning, ['head'], 1),
    criticMs: () => dual.step(critic, ['critic']),
    jointMs: () => dual.step(online, ['critic', 'head']),
    warmUpJointMs: () => dual.step(warmUp, ['critic', 'head']),
    refinementMs: () => dual.refine(),
    dsrlCriticMs: () => dsrl.step(noiseCritic, ['critic']),
    dsrlNoiseMs: () => dsrl.step(noise, ['critic', 'noiseCritic', 'noiseActor', 'temperature']),
    updateMs: () => ours.training.update('online', ours.steps),
    headUpdateMs: () => dual.training.update('online', dual.steps),
    dsrlUpdateMs: () => dsrl.training.update('online', dsrl.steps),
    criticProgramMs: () => critic.run(),
    criticAdamMs: () => dual.steps.apply('critic'),
  }
}

/** Processor time, since a busy neighbour moves it least. The steps take turns. */
export async function benchSteps(): Promise<StepFigures> {
  const steps = Object.entries(await trainingSteps())
  const times = steps.map(([name]) => [name, [] as number[]] as const)
  for (let round = -WARM_UP; round < ROUNDS; round++)
    for (const [i, [, step]] of steps.entries()) {
      const before = process.cpuUsage()
      await step()
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) times[i]![1].push((user + system) / 1000)
    }
  return Object.fromEntries(times.map(([name, list]) => [name, rounded(median(list))]))
}

/** The step of an update of preset `quick` for as many tasks, which share the batch. */
export async function quickUpdate(tasks: readonly string[]): Promise<() => Promise<unknown>> {
  const { training, steps } = await open('dual', quick, tasks)
  return () => training.update('online', steps)
}

/** A method on these networks, compiled over a replay of random episodes. */
async function open(method: MethodName, network: NetworkConfig, tasks: readonly string[] = TASKS) {
  const [cameras, height, width, channels] = NANO.featureShape
  const sizes = {
    ...{ network, embedding: NANO.embeddingWidth, proprio: NANO.proprioWidth, command: commands.width },
    ...{ cameras, space: height * width, channels },
  }
  const batchPerTask = Math.floor(learner.batch / tasks.length)
  const warmUp = { updates: 1000, heads: 5, cloningSteps: 3000 }
  const lambda = { 'warm-up': { bc: 1, q: 0.1 }, online: { bc: 0.5, q: 0.5 } }
  const options = {
    sizes,
    tasks: tasks.length,
    batchPerTask,
    learner,
    threads: 1,
    lambda,
    warmUp,
    commands,
    translator,
  }
  const groups = methodGroups(method, options)
  const store = createStore(groups, 0)
  const training = await methods[method].compile(store, options)
  const replay = emptyReplay(tasks, learner, EPISODES * (EPISODE_STEPS + 1))
  fillReplay(replay, EPISODES)
  const steps = new Steps(replay, store, groups, batchPerTask, learner, 0)
  const refinement = method === 'dual' ? await RefinementSteps.compile(store, options) : undefined
  return {
    training,
    steps,
    async step(program: Program, learnt: readonly string[], demonstrationShare?: number) {
      await steps.run(program, demonstrationShare)
      for (const group of learnt) steps.apply(group)
    },
    refine: () => refinement?.take(steps.of('refinement')),
  }
}
