/** @file The newest weights that a robot of a fleet has: for its policy between two steps, and on its disk for its next process. */
import { existsSync, readFileSync } from 'node:fs'
import { writeWhole } from '../durable.ts'
import type { Policy } from '../learn/policy.ts'
import { decodeMessage } from '../link/codec.ts'
import { type FromLearner, publishedOf, weightsMessage } from '../link/messages.ts'
import type { Published } from '../link/ports.ts'

const KEPT_EVERY = 5000 // ms between two copies on the disk

export class WeightsFeed {
  private newest: Published | undefined
  private applied: Published | undefined
  private keptAt = Number.NEGATIVE_INFINITY
  private refused = false // by the disk, the last time

  constructor(
    private readonly policy: Pick<Policy, 'setParameters'>,
    private readonly file: string,
    private readonly onNotice?: (line: string) => void,
  ) {
    if (existsSync(file)) this.newest = readWeights(file)
  }

  /** Whether there is anything to act with. */
  get ready(): boolean {
    return this.newest !== undefined
  }

  /** Updates that the policy holds which acts. */
  get version(): number {
    return this.applied?.version ?? 0
  }

  publish(published: Published): void {
    this.newest = published
    if (performance.now() - this.keptAt > KEPT_EVERY) this.keep()
  }

  /** From here on, between two steps. */
  takeUp(): void {
    if (this.newest === undefined || this.newest === this.applied) return
    this.policy.setParameters(this.newest.values)
    this.applied = this.newest
  }

  /** A disk that refuses them is no reason to hear no more of the learner: the robot acts with what is in memory. */
  keep(): void {
    if (this.newest === undefined) return
    this.keptAt = performance.now()
    try {
      writeWhole(this.file, new Uint8Array(weightsMessage(this.newest)))
      this.refused = false
    } catch (error) {
      if (!this.refused) this.onNotice?.(`The newest weights are not kept on this disk: ${(error as Error).message}`)
      this.refused = true
    }
  }
}

/** None where they are not what was kept: the learner has others. */
function readWeights(file: string): Published | undefined {
  try {
    const message = decodeMessage<FromLearner>(new Uint8Array(readFileSync(file)).buffer)
    return message.head.kind === 'weights' ? publishedOf(message.head, message) : undefined
  } catch {
    return undefined
  }
}
