/** @file A learner that is easy to predict, behind a link: a real replay, updates that only count, parameters that tell how many. */
import { setImmediate } from 'node:timers/promises'
import type { LearnerLink, LearnerPort, LinkEvents } from '../../src/link/ports.ts'
import type { ReplayBuffer } from '../../src/replay/index.ts'
import { aReplay } from '../replay/numbered.ts'

export const RUN = 'a run'

export class StandIn implements LearnerPort {
  readonly replay: ReplayBuffer = aReplay()
  readonly saved: string[] = []
  updates = 0
  released = false
  /** What an update does beside counting. */
  during: () => unknown = () => {}
  /** Transitions that the replay held at each update. */
  readonly seen: number[] = []

  begin: LearnerPort['begin'] = (start, observation) => void this.replay.begin(start, observation)
  step: LearnerPort['step'] = (episode, step, next) => void this.replay.step(episode, step, next)
  end: LearnerPort['end'] = (episode, end) => this.replay.end(episode, end)
  canUpdate: LearnerPort['canUpdate'] = (phase) => phase === 'warm-up' || this.replay.stats().transitions > 0

  async update(phase: 'warm-up' | 'online') {
    await setImmediate() // a real update leaves the thread, too
    await this.during()
    this.seen.push(this.replay.stats().transitions)
    return { update: ++this.updates, phase, figures: { 'actor.loss': this.updates === 10 ? Number.NaN : 1 } }
  }

  actorParameters = () => ({ head: Float32Array.of(this.updates, 0.1) })

  async save(name: string) {
    this.saved.push(name)
    return { 'move left': 3 }
  }

  async release() {
    this.released = true
  }
}

/** A link to a learner that `open` makes, over the transport that is specified. */
export type OpenLink = (
  open: () => Promise<LearnerPort>,
  events?: LinkEvents,
) => Promise<{ link: LearnerLink; ready: Promise<void>; close: () => Promise<void> }>

/** Opens a link to a stand-in for one test. */
export async function withLearner(
  open: OpenLink,
  test: (link: LearnerLink, learner: StandIn) => Promise<void>,
  events: LinkEvents = {},
): Promise<void> {
  const learner = new StandIn()
  const { link, ready, close } = await open(async () => learner, events)
  try {
    await ready
    await test(link, learner)
  } finally {
    await close()
  }
}
