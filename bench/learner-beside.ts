/** @file In a process of its own, so that it takes what it is given of the cores: a learner that steps without pause until it is stopped. */
import { RandomStream } from '../src/random/stream.ts'
import { ourLearner } from './learner.ts'
import { randomBatch, SIZES } from './problem.ts'

const learner = await ourLearner(SIZES, randomBatch(SIZES, new RandomStream(0, 'bench')), { threads: 1 }) // one thread, as in a run
await learner.step()
process.send!('learning')
while (process.connected) await learner.step()
