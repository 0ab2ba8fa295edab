// In place of src/run/learner-thread.mjs.
import { load } from '../../../src/load.mjs'
import { mortal } from './mortal.mjs'

const { main } = await load('run/learner-process')
await main(mortal)
