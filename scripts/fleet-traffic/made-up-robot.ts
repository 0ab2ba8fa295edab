/** @file A robot of a fleet that makes up what it saw, at any rate: its way to the learner is the real one, and so is its patience. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Welcome } from '../../src/fleet/greeting.ts'
import { Liaison, type Told } from '../../src/fleet/liaison.ts'
import type { Wire } from '../../src/link/nats/wire.ts'
import { ownNumber } from '../../src/loop/online-recorder.ts'
import type { PolicyAbout } from '../../src/policies/about.ts'
import { RandomStream } from '../../src/random/stream.ts'
import type { EncodedObservation } from '../../src/replay/assembler.ts'
import type { EpisodeStart, Step } from '../../src/replay/episode.ts'

const EPISODE = 60 // steps
const LEAVE = 120 // s to bring what is missing
const MOST = 5000 // messages in flight

/** What the encoder makes of two cameras. */
export type Sight = {
  embeddingWidth: number
  proprioWidth: number
  featureShape: readonly number[]
  copies: number
}

/** Any numbers; new arrays each time, for bytes are moved. */
export function madeUp(random: RandomStream, { embeddingWidth, proprioWidth, featureShape, copies }: Sight) {
  const numbers = (length: number) => Float32Array.from({ length }, () => random.uniform())
  const features = featureShape.reduce((product, size) => product * size, 1)
  return {
    h: numbers(embeddingWidth),
    proprio: numbers(proprioWidth),
    features: Array.from({ length: 1 + copies }, () => numbers(features)),
  } satisfies EncodedObservation
}

/** µs on a clock that all processes of a machine share. */
export const now = () => Number(process.hrtime.bigint() / 1000n)

/** Its id is when it was made: what arrives tells how long it took. */
export const stepAt = (step: number): Step => ({
  id: now(),
  step,
  action: new Float32Array(7),
  reward: 0,
  terminated: false,
  truncated: step === EPISODE - 1,
  by: 'clock',
  actor: 'primary',
  command: null,
})

type Options = {
  wire: Promise<Wire>
  run: string
  robot: string
  is: { robot: PolicyAbout['robot']; encoder: { name: string; hash: string } }
  sight: Sight
  rate: number // Hz
  steps: number
  onTick: (late: number) => void // ms
}

/** Until it has made its steps, and the learner has them all, or its patience is over. */
export async function actAsOne({ wire, run, robot, is, sight, rate, ...options }: Options) {
  const random = new RandomStream(0, `seen by ${robot}`)
  let log: { start: EpisodeStart; first: EncodedObservation; steps: { step: Step; next: EncodedObservation }[] }[] = []
  let welcomed = (_: Welcome) => {}
  const welcome = new Promise<Welcome>((resolve) => (welcomed = resolve))
  const liaison = new Liaison(
    {
      ...{ wire, run, robot, most: MOST },
      standing: () => ({ does: 'acts', fault: null, page: null }),
      onSaid: (line) => process.stderr.write(`${robot}: ${line}\n`),
      onWelcome: (welcome) => welcomed(welcome),
      onWeights: () => {},
      onKept: ({ episode }) => {
        log = log.filter(({ start }) => start.episode >= episode)
      },
      onRefused: (error) => {
        process.stderr.write(`${error.message}\n`)
        process.exit(1)
      },
    },
    is,
  )
  async function* missing(have: { episode: number; closed: boolean } | null) {
    for (const { start, first, steps } of log) {
      if (have && (start.episode < have.episode || (start.episode === have.episode && have.closed))) continue
      yield async (to: Told) => {
        to.begin(start, first)
        for (const { step, next } of steps) to.step(start.episode, step, next)
        to.end(start.episode, { ending: 'timeout' })
      }
    }
  }
  const { place, firstEpisode } = await welcome // who begins before would tell the first episode from its log
  let episode = ownNumber(firstEpisode, place)
  let due = performance.now()
  let made = 0
  while (made < options.steps) {
    await liaison.catchUp(missing)
    const start: EpisodeStart = { episode, task: 'pick', source: 'online', seed: 0 }
    const told = { start, first: madeUp(random, sight), steps: [] as { step: Step; next: EncodedObservation }[] }
    liaison.experience.begin(start, told.first)
    for (let k = 0; k < EPISODE; k++, made++) {
      due = Math.max(due + 1000 / rate, performance.now() - 1000)
      await sleep(Math.max(0, due - performance.now()))
      options.onTick(performance.now() - due)
      const [step, next] = [stepAt(k), madeUp(random, sight)]
      told.steps.push({ step, next })
      liaison.experience.step(episode, step, next)
    }
    liaison.experience.end(episode, { ending: 'timeout' })
    log.push(told)
    episode += place.of
  }
  const patience = performance.now() + 1000 * LEAVE
  while (!liaison.toldAll && performance.now() < patience) {
    await liaison.catchUp(missing)
    await sleep(100)
  }
  const whole = liaison.toldAll
  await liaison.close()
  return { made, whole }
}
