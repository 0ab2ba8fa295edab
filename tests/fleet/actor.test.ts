/** @file A robot's process, started again: with other settings of its own, in a run that is longer by now, in one that is another. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { runActor } from '../../src/fleet/actor.ts'
import { FleetPlaces } from '../../src/fleet/places.ts'
import { Reception } from '../../src/fleet/reception.ts'
import { ParameterStore } from '../../src/graph/index.ts'
import { actorLayouts, actorSizes } from '../../src/learn/actors.ts'
import type { ActorParameters } from '../../src/learn/policy.ts'
import { connectBroker } from '../../src/link/nats/connect.ts'
import { Failure } from '../../src/loop/failure.ts'
import { shapesOf } from '../../src/nets/index.ts'
import { aboutRobot } from '../../src/policies/about.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { describeRobot } from '../../src/robots/index.ts'
import type { RunConfig } from '../../src/run/config.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { translatorSettings } from '../../src/run/label-rule.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import { openMinds } from '../../src/run/session.ts'
import { openTranslator } from '../../src/talk/translator.ts'
import { endServer, freePort, natsServer, startServer, WITHOUT } from '../link/nats-server.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-actor-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

const STEP = 1 / 600 // robot minutes, at 10 Hz

const settings = (steps: number): RunConfig =>
  resolveConfig('tiny', undefined, [
    { tasks: ['pick'], robot: { arm: 'gantry' }, networks: { sees: 'h' } },
    { online: { lockstep: false, robotMinutes: steps * STEP } },
  ])

/** A learner in a folder that learns nothing: it lets robot A in, takes in what that tells, and gives it weights that are all 0. */
async function aLearner(url: string, folder: string, config: RunConfig) {
  fs.mkdirSync(join(root, folder), { recursive: true })
  const spec = describeRobot(config.robot, 'A')
  const minds = await openMinds(config, spec, openTranslator(translatorSettings(config, spec)))
  const { description } = minds.encoder
  const sizes = actorSizes(config.networks, description, spec.channels.length, minds.commands.width)
  await minds.encoder.close()
  const scale = (width: number) => ({ mean: Array(width).fill(0), deviation: Array(width).fill(1) })
  const reception = await Reception.open({
    run: 'arms',
    folder: join(root, folder),
    places: new FleetPlaces(join(root, folder, 'places.json')),
    about: {
      config: { ...config },
      encoder: { name: description.name, hash: description.hash },
      normalisers: { h: scale(sizes.embedding), proprio: scale(sizes.proprio) },
      firstEpisode: 1,
      robot: aboutRobot(spec, description.cameras),
    },
    intake: () => ({
      shape: {
        embeddingWidth: sizes.embedding,
        featureShape: description.featureShape,
        proprioWidth: sizes.proprio,
        copies: config.replay.shiftedCopies,
      },
      tasks: config.tasks,
      experience: { begin: () => {}, step: () => {}, end: () => {}, room: async () => {} },
    }),
    failure: new Failure(),
    onTrouble: () => {},
  })
  const layouts = Object.entries(actorLayouts(sizes, config.method))
  const store = new ParameterStore(Object.fromEntries(layouts.map(([group, of]) => [group, { tensors: shapesOf(of) }])))
  const values = Object.fromEntries(layouts.map(([group]) => [group, store.flat(group).slice()])) as ActorParameters
  reception.publish({ version: 1, values })
  const wire = await connectBroker({ url }, 'a learner of the test')
  const leave = await reception.begin(wire)
  let gone = false
  const close = async () => {
    if (gone) return
    gone = true
    leave()
    await reception.close()
    await wire.close()
  }
  opened.push(close)
  return { told: () => reception.robots.get('A')?.steps ?? 0, close }
}

describe.skipIf(!natsServer)(natsServer ? 'a robot that is started again' : WITHOUT, () => {
  let broker: ReturnType<typeof startServer>
  beforeAll(async () => {
    broker = startServer(await freePort())
  })
  afterAll(() => endServer(broker.child))

  const act = (home: string, own: object = {}) =>
    runActor(
      { url: broker.url, run: 'arms', robot: 'A' },
      { folder: join(root, home), own: { robot: { cells: ['A'] }, ...own } },
    )

  it('has the settings that it is given now, and acts for as long as its learner says now', async () => {
    const first = await aLearner(broker.url, 'arms', settings(0))
    await act('arms-A')
    await first.close()

    const second = await aLearner(broker.url, 'arms', settings(1))
    await act('arms-A', { operator: { kind: 'none' } })
    const logged = [...readEpisodes(join(root, 'arms-A', 'log'))]
    expect(logged).toHaveLength(1)
    expect(second.told()).toBe(logged[0]!.steps.length)
    expect(RunFolder.open(join(root, 'arms-A')).config.operator.kind).toBe('none')
  })

  it('tells and takes nothing of another run that was begun under the name of its own', async () => {
    const first = await aLearner(broker.url, 'old', settings(0))
    await act('old-A')
    await first.close()
    const other = await aLearner(broker.url, 'begun anew', settings(1))
    await expect(act('old-A')).rejects.toThrow('old-A: is of an earlier run, and its learner is that of another one')
    expect(other.told()).toBe(0)
  })
})
