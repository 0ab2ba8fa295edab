/** @file A replay of random episodes: what is in it does not matter to whoever times it, how much does. */
import type { LearnerConfig } from '../src/learn/config.ts'
import { RandomStream } from '../src/random/stream.ts'
import { ReplayBuffer } from '../src/replay/buffer.ts'
import { builtInCommandEncoder } from '../src/talk/embedding.ts'
import { LABEL_DEFAULTS } from '../src/talk/labels.ts'
import { ruleTranslator } from '../src/talk/translator.ts'

export const EPISODE_STEPS = 40

/** What nano makes of two cameras, and what the workcell reads. */
export const NANO = { embeddingWidth: 256, proprioWidth: 19, featureShape: [2, 4, 4, 128] as const }

/** `capacity`: observations, of demonstrations and of online episodes. */
export const emptyReplay = (
  tasks: readonly string[],
  { returnSteps, clones }: Pick<LearnerConfig, 'returnSteps' | 'clones'>,
  capacity: number,
  shape: Omit<typeof NANO, 'featureShape'> & { featureShape: ReplayBuffer['options']['featureShape'] } = NANO,
) =>
  new ReplayBuffer({
    ...{ tasks, ...shape, copies: 0, discount: 0.98, returnSteps, clones },
    translator: ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 }),
    commands: builtInCommandEncoder(),
    ...{ demonstrationCapacity: capacity, onlineCapacity: capacity },
  })

/** Episodes more, of its tasks in turn: as many demonstrations as online ones, whose second half is the operator's. */
export function fillReplay(replay: ReplayBuffer, episodes: number): void {
  const { tasks, embeddingWidth, proprioWidth, featureShape } = replay.options
  const first = replay.stats().episodes
  const random = new RandomStream(first, 'bench/replay')
  const normal = (width: number) => random.fillNormal(new Float32Array(width))
  const maps = featureShape.reduce((a, b) => a * b)
  const observe = () => ({ h: normal(embeddingWidth), features: [normal(maps)], proprio: normal(proprioWidth) })
  for (let episode = first, id = first * EPISODE_STEPS; episode < first + episodes; episode++) {
    const source = Math.floor(episode / tasks.length) % 2 ? 'online' : 'demonstration'
    replay.begin({ episode, task: tasks[episode % tasks.length]!, source, seed: null }, observe())
    for (let step = 0; step < EPISODE_STEPS; step++) {
      const last = step === EPISODE_STEPS - 1
      const actor = source === 'online' && step < EPISODE_STEPS / 2 ? ('primary' as const) : ('operator' as const)
      const action = random.fillUniform(new Float32Array(7), -1, 1)
      const happened = { action, reward: Number(last), terminated: last, truncated: false, by: 'robot' as const, actor }
      replay.step(episode, { id: id++, step, ...happened, command: null }, observe())
    }
    replay.end(episode, { ending: 'success' })
  }
}
