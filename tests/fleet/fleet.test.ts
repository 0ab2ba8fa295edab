/** @file Robots and their learner, through a broker in memory: what arrives, what is told again, who is refused. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { InputError, LostError } from '../../src/errors.ts'
import { helloOf } from '../../src/fleet/greeting.ts'
import type { Cursor } from '../../src/fleet/intake.ts'
import { Liaison, type LiaisonOptions, type Told } from '../../src/fleet/liaison.ts'
import { FleetPlaces, goesOnFrom } from '../../src/fleet/places.ts'
import { Reception } from '../../src/fleet/reception.ts'
import { hashOf } from '../../src/link/messages.ts'
import { dial } from '../../src/link/nats/dial.ts'
import { downSubject } from '../../src/link/nats/wire.ts'
import type { Published } from '../../src/link/ports.ts'
import { Failure } from '../../src/loop/failure.ts'
import { MemoryBroker } from '../link/memory-broker.ts'
import { aReplay, encoded, frameOf, type Plan, SHAPE, startOf, stepOf } from '../replay/numbered.ts'
import { experienceInto } from './told.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-fleet-'))
const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})
afterAll(() => fs.rmSync(root, { recursive: true }))

const ENCODER = { name: 'mean colours', hash: 'abc' }
const ROBOT = {
  name: 'an arm',
  rate: 10,
  actionFrame: 'base' as const,
  actionScale: { translation: 0.05, rotation: 0.2 },
  cameras: {},
  channels: [{ name: 'tcp.x', unit: 'm' }],
}

/** A learner in a folder; where it was killed, its journals and places are found there again. */
async function learner(broker: MemoryBroker, folder: string, bits: 16 | 32 = 32) {
  fs.mkdirSync(join(root, folder), { recursive: true })
  const replay = aReplay()
  const failure = new Failure()
  const troubles: string[] = []
  const reception = await Reception.open({
    run: 'arms',
    folder: join(root, folder),
    places: new FleetPlaces(join(root, folder, 'places.json')),
    about: {
      config: { seed: 3 },
      robot: ROBOT,
      encoder: ENCODER,
      normalisers: { h: { mean: [0], deviation: [1] }, proprio: { mean: [0], deviation: [1] } },
      firstEpisode: 4,
    },
    intake: () => ({
      shape: { ...SHAPE, copies: 1 },
      tasks: ['place', 'pick'],
      experience: experienceInto(replay),
    }),
    bits,
    failure,
    onTrouble: (line) => troubles.push(line),
  })
  const leave = await reception.begin(broker.wire())
  let gone = false
  const close = async () => {
    if (gone) return
    gone = true
    leave()
    await reception.close()
  }
  opened.push(close)
  return { reception, replay, failure, troubles, close }
}

/** A robot with a log of plans: what it has done is told from there where the learner has missed it. */
function robot(
  broker: MemoryBroker,
  name = 'A',
  options: Partial<LiaisonOptions> = {},
  fits = { robot: ROBOT, encoder: ENCODER },
) {
  const log: Plan[] = []
  const kept: Pick<Cursor, 'episode' | 'steps'>[] = []
  const weights: Published[] = []
  const said: string[] = []
  const refused: InputError[] = []
  let place = { index: -1, of: 0 }
  const liaison = new Liaison(
    {
      wire: Promise.resolve(broker.wire()),
      run: 'arms',
      robot: name,
      most: 100,
      standing: () => ({ does: 'acts', fault: null, page: null }),
      onSaid: (line) => said.push(line),
      onWelcome: (welcome) => {
        place = welcome.place
      },
      onWeights: (published) => weights.push(published),
      onKept: (mark) => kept.push(mark),
      onRefused: (error) => refused.push(error),
      ...options,
    },
    fits,
  )
  opened.push(() => liaison.close())
  const told: string[] = [] // from the log
  async function* missing(have: Cursor | null) {
    for (const plan of log) {
      if (have && (plan.episode < have.episode || (plan.episode === have.episode && have.closed))) continue
      told.push(String(plan.episode))
      yield async (to: Told) => act(to, plan, plan.steps, true)
    }
  }
  const act = (to: Pick<Told, 'begin' | 'step' | 'end'>, plan: Plan, steps: number, ends: boolean) => {
    to.begin(startOf(plan), encoded(frameOf(plan.episode, 0)))
    for (let t = 0; t < steps; t++) to.step(plan.episode, stepOf(plan, t), encoded(frameOf(plan.episode, t + 1)))
    if (ends) to.end(plan.episode, { ending: 'timeout' })
  }
  /** An episode: into the log, and live. `pause`: what happens before its last step. */
  const practise = async (plan: Plan, pause?: () => Promise<unknown>) => {
    await liaison.catchUp(missing)
    const live = liaison.experience
    act(live, plan, plan.steps - 1, false)
    await pause?.()
    live.step(plan.episode, stepOf(plan, plan.steps - 1), encoded(frameOf(plan.episode, plan.steps)))
    live.end(plan.episode, { ending: 'timeout' })
    log.push(plan)
  }
  const settled = () =>
    until(async () => {
      await liaison.catchUp(missing)
      return liaison.toldAll
    })
  const forget = () => void log.splice(0)
  return { liaison, practise, settled, forget, kept, weights, said, refused, told, place: () => place }
}

async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; !(await so()); i++) {
    if (i > 1000) throw new Error('not so within 20 s')
    await sleep(20)
  }
}

describe('a fleet', () => {
  it('brings what two robots do to the learner, and says what it has kept', async () => {
    const broker = new MemoryBroker()
    const { replay } = await learner(broker, 'two')
    const [a, b] = [robot(broker, 'A'), robot(broker, 'B')]
    await until(() => a.place().of > 0 && b.place().of > 0)
    expect(new Set([a.place().index, b.place().index])).toEqual(new Set([0, 1]))
    const [ofA, ofB] = [a.place().index, b.place().index]
    await a.practise({ episode: 64 + ofA, steps: 3 })
    await b.practise({ episode: 64 + ofB, steps: 2 })
    await a.practise({ episode: 128 + ofA, steps: 4 })
    await Promise.all([a.settled(), b.settled()])
    expect(replay.stats()).toMatchObject({ episodes: 3, transitions: 9 })
    await until(() => a.kept.length > 0 && b.kept.length > 0)
    expect(a.kept.at(-1)).toEqual({ episode: 128 + ofA, steps: 4 })
    expect([a.told, b.told]).toEqual([[], []])
  })

  it('loses nothing and counts nothing twice where the learner is killed in the middle of an episode', async () => {
    const broker = new MemoryBroker()
    const first = await learner(broker, 'killed')
    const a = robot(broker)
    await until(() => a.place().of > 0)
    await a.practise({ episode: 64, steps: 3 })
    await a.practise({ episode: 128, steps: 5 }, async () => {
      await until(() => first.reception.robots.get('A')?.steps === 7) // 3 and 4 of 5
      broker.away = true // it cannot say goodbye
      await first.close()
      broker.comeBack()
    })
    await a.practise({ episode: 192, steps: 2 }) // nobody hears
    const { replay, reception } = await learner(broker, 'killed')
    expect(reception.robots.get('A')).toMatchObject({ steps: 7, episodes: 1 })
    await a.settled()
    expect(replay.stats()).toMatchObject({ episodes: 3, transitions: 10 })
    expect(reception.robots.get('A')).toMatchObject({ steps: 10, episodes: 3 })
    expect(a.told).toEqual(['128', '192'])
    await until(() => a.kept.at(-1)?.episode === 192)
  })

  it('tells no robot that something is kept before the disk has it: a power cut leaves all that was told', async () => {
    const broker = new MemoryBroker()
    const { reception } = await learner(broker, 'power')
    const a = robot(broker)
    await until(() => a.place().of > 0)
    await a.practise({ episode: 64, steps: 2 })
    await a.settled()
    await until(() => a.kept.at(-1)?.steps === 2)
    const { file } = (reception.robots.get('A') as unknown as { journal: { file: { sync: () => Promise<void> } } })
      .journal
    let flush = () => {}
    const sync = vi.spyOn(file, 'sync').mockImplementation(() => new Promise((resolve) => (flush = resolve)))
    await a.practise({ episode: 128, steps: 3 })
    await until(() => reception.robots.get('A')!.steps === 5)
    await sleep(400)
    expect(a.kept.at(-1)).toEqual({ episode: 64, steps: 2 })
    sync.mockRestore()
    flush()
    await until(() => a.kept.at(-1)?.episode === 128)
  })

  it('numbers no two episodes alike, where a power cut took what the learner had heard of', () => {
    const place = { index: 1, of: 64 }
    const next = (logged: number, have: number | null, isFirst: boolean) =>
      goesOnFrom(logged, { place, firstEpisode: 4, have: have === null ? null : { episode: have } }, isFirst)
    expect(next(0, null, true)).toBe(4)
    expect(next(0, 129, true)).toBe(130) // its disk is new
    expect(next(66, 65, false)).toBeGreaterThan(129) // 65 is its last; 129 ran when the power went, and may be known
    expect(next(66, 65, false)).toBeLessThanOrEqual(193)
  })

  it('is told later what was too much to be in flight', async () => {
    const broker = new MemoryBroker()
    const { replay } = await learner(broker, 'much')
    const a = robot(broker, 'A', { most: 6 })
    await until(() => a.place().of > 0)
    await a.practise({ episode: 64, steps: 3 })
    await a.settled()
    broker.away = true
    await a.practise({ episode: 128, steps: 9 })
    await a.practise({ episode: 192, steps: 9 })
    expect(a.said.join('\n')).toContain('is behind; the log keeps what it misses')
    broker.comeBack()
    await a.settled()
    expect(replay.stats()).toMatchObject({ episodes: 3, transitions: 21 })
    expect(a.told).toEqual(['128', '192'])
  })

  it('is told much in parts, so that its robot stands for a while between two episodes and not until all is told', async () => {
    const broker = new MemoryBroker()
    const { replay } = await learner(broker, 'parts')
    const a = robot(broker, 'A', { most: 6, telling: 0 })
    await until(() => a.place().of > 0)
    broker.away = true
    let practised = 0
    const practise = () => a.practise({ episode: 64 * ++practised, steps: 9 })
    for (let k = 0; k < 4; k++) await practise()
    broker.comeBack()
    await until(async () => {
      await practise()
      return a.told.length > 0
    })
    expect(a.told).toEqual(['64', '128']) // one, and a look at the next
    await a.settled()
    expect(replay.stats()).toMatchObject({ episodes: practised, transitions: 9 * practised })
  })

  it('hands the newest weights to each robot, under the hash of what they are', async () => {
    const broker = new MemoryBroker()
    const { reception } = await learner(broker, 'weights')
    const values = (version: number) => ({ head: Float32Array.of(version, 0.1), refine: Float32Array.of(-version) })
    reception.publish({ version: 7, values: values(7) })
    const a = robot(broker)
    await until(() => a.weights.length > 0)
    expect(a.weights[0]).toEqual({ version: 7, values: values(7), hash: hashOf(values(7)) })
    for (const version of [8, 9, 10, 11]) reception.publish({ version, values: values(version) })
    await until(() => a.weights.at(-1)?.version === 11)
    expect(a.weights.length).toBeLessThan(4) // those that came while others were on their way are passed over
  })

  it('sends them in half as many bytes where 16 bits are asked for: the robot has the same', async () => {
    const values = { head: new Float32Array(20_000).fill(0.5) }
    const bytes = async (bits: 16 | 32) => {
      const broker = new MemoryBroker()
      let sent = 0
      broker.wire().subscribe(downSubject('arms', 'A'), (_, message) => (sent += message.length))
      const { reception } = await learner(broker, `bits-${bits}`, bits)
      reception.publish({ version: 7, values })
      const a = robot(broker)
      await until(() => a.weights.length > 0)
      expect(a.weights[0]).toEqual({ version: 7, values, hash: hashOf(values) })
      return sent
    }
    expect(await bytes(32)).toBeGreaterThan(80_000)
    expect(await bytes(16)).toBeLessThan(50_000)
  })

  it('gives earlier weights to robots that have newer ones, where a person wants them back', async () => {
    const broker = new MemoryBroker()
    const { reception } = await learner(broker, 'rolled-back')
    const values = (version: number) => ({ head: Float32Array.of(version) })
    const a = robot(broker)
    for (const published of [
      { version: 8, values: values(8) },
      { version: 5, values: values(5) }, // overtaken: older, and nobody says that it is wanted
      { version: 7, values: values(7), back: true as const },
      { version: 9, values: values(9) },
    ]) {
      reception.publish(published)
      if (published.version === 5) await sleep(300)
      else await until(() => a.weights.at(-1)?.version === published.version)
    }
    const versions = a.weights.map(({ version }) => version)
    expect(versions.filter((version, i) => version !== versions[i - 1])).toEqual([8, 7, 9])
  })

  it('knows how its robots are: as they say, how late their steps come, who has left and why', async () => {
    const broker = new MemoryBroker()
    const { reception } = await learner(broker, 'standing')
    let fault: string | null = null
    const a = robot(broker, 'A', { standing: () => ({ does: 'acts', fault, page: 'http://b.local:8337/' }) })
    await until(() => a.place().of > 0)
    await a.practise({ episode: 64, steps: 3 })
    await a.practise({ episode: 128, steps: 2 }) // as it happens: by then it has told all
    await a.settled()
    await until(() => (reception.known[0]?.lag ?? null) !== null)
    const [known] = reception.known
    expect(known).toMatchObject({
      robot: 'A',
      steps: 5,
      episodes: 2,
      outcomes: [false, false],
      here: true,
      does: 'acts',
      page: 'http://b.local:8337/',
    })
    expect(known!.lag).toBeLessThan(5)
    fault = 'force: 31 N on the tool'
    await a.liaison.close()
    await until(() => reception.known[0]!.here === false)
    expect(reception.known[0]).toMatchObject({ fault, steps: 5 })
  })

  it('never publishes weights that hold what is no number: the robots keep those before', async () => {
    const broker = new MemoryBroker()
    const { reception, failure } = await learner(broker, 'spoilt')
    reception.publish({ version: 7, values: { head: Float32Array.of(1) } })
    const a = robot(broker)
    await until(() => a.weights.length > 0)
    const failed = new Promise<unknown>((resolve) => failure.onFailure(resolve))
    reception.publish({ version: 8, values: { head: Float32Array.of(1, Number.NaN) } })
    expect(((await failed) as Error).message).toContain('weights of version 8: hold what is no number, in head')
    await sleep(300)
    expect(a.weights.map(({ version }) => version)).toEqual([7])
  })

  it('refuses a robot that cannot share its policy, or sees with another encoder', async () => {
    const broker = new MemoryBroker()
    await learner(broker, 'refused')
    const slow = robot(broker, 'slow', {}, { robot: { ...ROBOT, rate: 5 }, encoder: ENCODER })
    const blind = robot(broker, 'blind', {}, { robot: ROBOT, encoder: { name: 'nano', hash: 'def' } })
    await until(() => slow.refused.length > 0 && blind.refused.length > 0)
    expect(slow.refused[0]!.message).toContain('which takes 10 steps a second; an arm takes 5')
    expect(blind.refused[0]!.message).toBe(
      'robot "blind": sees with encoder nano def, run "arms" with mean colours abc. Give it the weights of the run',
    )
  })

  it('lets no second process act under the name of one that lives, and one of another version not at all', async () => {
    const broker = new MemoryBroker()
    await learner(broker, 'names')
    const a = robot(broker)
    await until(() => a.place().of > 0)
    const as = (hello: Uint8Array) => dial(broker.wire(), { run: 'arms', robot: 'A' }, hello).catch((error) => error)
    const second = await as(helloOf({ host: 'elsewhere', process: 'another', robot: ROBOT, encoder: ENCODER }))
    expect(second).toBeInstanceOf(LostError) // it may come again: the first one may have been killed
    expect(second.message).toContain('robot "A": acts in another process already, this one is on elsewhere')
    const old = JSON.parse(String(helloOf({ host: 'elsewhere', process: 'another' }))) as object
    const other = await as(Buffer.from(JSON.stringify({ ...old, link: 99, duet: '9.0' })))
    expect(other).toBeInstanceOf(InputError)
    expect(other.message).toContain('runs Duet 9.0, whose messages are of version 99')
    expect((await as(Buffer.from('what'))).message).toContain('says what this Duet cannot read')
  })

  it('hears nothing more of a robot that tells nonsense, and goes on with the others', async () => {
    const broker = new MemoryBroker()
    const { replay, troubles, failure } = await learner(broker, 'nonsense')
    const [a, b] = [robot(broker, 'A'), robot(broker, 'B')]
    await until(() => a.place().of > 0 && b.place().of > 0)
    const [ofA, ofB] = [a.place().index, b.place().index]
    await a.practise({ episode: 64 + ofA, steps: 2 })
    await a.settled()
    a.liaison.experience.step(640, stepOf({ episode: 640, steps: 2 }, 1), encoded(1))
    await until(() => a.said.some((line) => line.includes('episode 640: was not begun')))
    expect(troubles.join('\n')).toContain('Robot A is not heard any further: episode 640')
    await b.practise({ episode: 64 + ofA, steps: 2 }) // the number of another
    const words = `episode ${64 + ofA} of robot B: has a number that is another\u2019s`
    await until(() => b.said.some((line) => line.includes(words)))
    b.forget()
    await b.practise({ episode: 64 + ofB, steps: 2 })
    await b.settled()
    expect(replay.stats()).toMatchObject({ episodes: 2, transitions: 4 })
    expect(failure.failed).toBe(false)
    await a.settled() // and it may come again
  })
})
