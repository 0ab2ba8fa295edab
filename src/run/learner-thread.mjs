// A thread loads for itself, then becomes the learner.
import { load } from '../load.mjs'

const { main } = await load('run/learner-process')
await main()
