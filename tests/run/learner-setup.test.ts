/** @file What a run hands on to its learner: every setting arrives as itself, none as its neighbour. */
import { describe, expect, it } from 'vitest'
import { actorSizes } from '../../src/learn/actors.ts'
import { learnerSetup } from '../../src/run/learner-setup.ts'
import { lockStepOf } from '../../src/run/opening.ts'
import { parseOverride, resolveConfig } from '../../src/run/resolve.ts'
import type { Session } from '../../src/run/session.ts'
import { openTranslator } from '../../src/talk/translator.ts'
import type { EncoderDescription } from '../../src/vla/encoder.ts'

/** No two figures alike, and none as a preset has it. */
const settings = [
  ...['seed=5', 'method=dsrl', 'tasks=[pick,place]'],
  ...['warmUp.bcWeight=0.91', 'warmUp.qWeight=0.12', 'online.bcWeight=0.43', 'online.qWeight=0.64'],
  ...['online.startAfter=77', 'learner.discount=0.955', 'learner.batch=48', 'learner.interventionShare=0.35'],
  ...['learner.targetRate=0.007', 'learner.learningRate=0.0013', 'learner.criticStepsPerActorStep=3'],
  ...['learner.returnSteps=4', 'learner.clones=successes', 'online.exploration.after=9'],
  ...['warmUp.updates=321', 'warmUp.heads=3', 'warmUp.cloningSteps=45'],
  ...['replay.capacity=1234', 'replay.shift=6', 'talk.window=3', 'talk.threshold=0.0021'],
]
const config = resolveConfig('paper', undefined, settings.map(parseOverride))
const description = { featureShape: [2, 3, 4, 5], embeddingWidth: 11 } as unknown as EncoderDescription
const commandTable = { '[null]': new Float32Array(9) }
const session = {
  encoder: { description },
  robot: { spec: { actionFrame: 'base', actionScale: { translation: 0.012, rotation: 0.15 } } },
  commandTable,
} as unknown as Session
const sizes = actorSizes(config.networks, description, 13, 9)
const folder = { path: '/runs/a-run', checkpoints: '/runs/a-run/checkpoints' }
const setup = learnerSetup(folder, config, session, sizes, { count: 2, pixels: 6, seed: 5 }, 'a checkpoint')

describe('the setup of the learner', () => {
  it('holds the method, its settings as they were resolved, and the weights of each phase', () => {
    expect(setup.learner).toEqual({
      ...{ method: 'dsrl', tasks: ['pick', 'place'], seed: 5, onlineAfter: 77 },
      ...{ sizes, learner: config.learner },
      warmUp: { updates: 321, heads: 3, cloningSteps: 45 },
      lambda: { 'warm-up': { bc: 0.91, q: 0.12 }, online: { bc: 0.43, q: 0.64 } },
    })
    expect(setup.learner.learner).toMatchObject({
      ...{ discount: 0.955, batch: 48, interventionShare: 0.35, targetRate: 0.007, learningRate: 0.0013 },
      criticStepsPerActorStep: 3,
    })
    expect(setup.checkpoint).toBe('a checkpoint')
    expect(setup.commandTable).toBe(commandTable)
    expect(setup).toMatchObject({ run: 'a-run', checkpoints: '/runs/a-run/checkpoints' })
  })

  it('gives the replay the discount of the TD target, and the widths of what is encoded', () => {
    expect(setup.replay).toMatchObject({
      ...{ tasks: ['pick', 'place'], discount: 0.955, returnSteps: 4, clones: 'successes', idle: 9, copies: 2 },
      ...{ embeddingWidth: 11, proprioWidth: 13, featureShape: [2, 3, 4, 5] },
      ...{ demonstrationCapacity: 1234, onlineCapacity: 1234 },
    })
  })

  it('has a translator made on the other side of a thread, by the run’s own window and threshold, in metres', () => {
    const { commands, window, label } = openTranslator(structuredClone(setup.translator))
    expect([commands.nothing, commands.all.length, window]).toEqual(['[null]', 27, 3])
    const pushed = (y: number) => label(Array(4).fill({ action: [0, y, 0, 0, 0, 0, 0], intervened: true }))[0]!
    expect(pushed(0.06).command).toBe('move left') // 3 x 0.06 x 12 mm = 2.16 mm
    expect(pushed(0.058).command).toBe('[null]') // 2.088 mm; by 0.15 rad a step it would be 26
    expect(pushed(0.06).delta[1]).toBeCloseTo(0.00216, 9)
  })
})

describe('the tie of updates to steps', () => {
  const { online } = resolveConfig('tiny', undefined, [{ online: { updatesPerStep: 0.75, publishEvery: 40 } }])

  it('is what the settings say, and goes on from what was asked for before', () =>
    expect(lockStepOf({ online }, { onlineUpdatesAsked: 7 })).toEqual({
      updatesPerStep: 0.75,
      publishEvery: 40,
      updatesAsked: 7,
    }))

  it('is none in free mode', () =>
    expect(lockStepOf({ online: { ...online, lockstep: false } }, { onlineUpdatesAsked: 7 })).toBeUndefined())
})
