/** @file A small learner's problem: two tasks whose right action follows from what is seen. */
import { LearnerConfig, NetworkConfig } from '../../src/learn/config.ts'
import type { LearnerOptions } from '../../src/learn/learner.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { ReplayBuffer } from '../../src/replay/buffer.ts'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'

export const commands = builtInCommandEncoder(4)
export const tasks = ['push', 'turn']
export const network = NetworkConfig.parse({ hidden: 16, proprioWidth: 8, spatialEmbeddings: 2, bottleneck: 16 })
export const sizes = { network, embedding: 6, proprio: 4, command: commands.width, cameras: 2, space: 4, channels: 3 }

export const options = (changes: Partial<LearnerOptions> = {}): LearnerOptions => ({
  method: 'dual',
  tasks,
  sizes,
  learner: LearnerConfig.parse({
    batch: 32,
    learningRate: 3e-3,
    conservativeSamples: 2,
    refinement: { batch: 8, startAfter: 1 },
  }),
  warmUp: { updates: 100, heads: 1, cloningSteps: 0 },
  lambda: { 'warm-up': { bc: 1, q: 0.1 }, online: { bc: 0.5, q: 0.5 } },
  onlineAfter: 1,
  seed: 0,
  ...changes,
})

/** Two tasks whose right action follows from h; half of each online episode is the operator's. */
export function aReplay({ online = true, reward = 1, names = tasks, brightness = 1 } = {}): ReplayBuffer {
  const replay = new ReplayBuffer({
    tasks: names,
    embeddingWidth: 6,
    proprioWidth: 4,
    featureShape: [2, 2, 2, 3],
    copies: 0,
    discount: 0.9,
    returnSteps: 1,
    clones: 'interventions',
    translator: ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 }),
    commands,
    demonstrationCapacity: 1000,
    onlineCapacity: 1000,
  })
  const random = new RandomStream(1, 'a replay')
  const observation = () => ({
    h: random.fillNormal(new Float32Array(6)),
    features: [random.fillNormal(new Float32Array(24)).map((x) => brightness * x)],
    proprio: random.fillNormal(new Float32Array(4)),
  })
  let id = 0
  for (let episode = 0; episode < (online ? 12 : 6); episode++) {
    let seen = observation()
    const source = episode < 6 ? 'demonstration' : 'online'
    replay.begin({ episode, task: names[episode % names.length]!, source, seed: null }, seen)
    for (let step = 0; step < 8; step++) {
      const action = Float32Array.from({ length: 7 }, (_, i) => Math.tanh(seen.h[i % 6]!))
      const last = step === 7
      const actor = source === 'demonstration' || step > 3 ? 'operator' : 'primary'
      seen = observation()
      const happened = {
        action,
        reward: last ? reward : 0,
        terminated: last,
        truncated: false,
        by: 'robot',
        actor,
        command: null,
      } as const
      replay.step(episode, { id: id++, step, ...happened }, seen)
    }
    replay.end(episode, { ending: 'success' })
  }
  return replay
}
