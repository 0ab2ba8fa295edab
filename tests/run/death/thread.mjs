// In place of src/run/learner-thread.mjs.
import { openModule } from '../../../bin/program.mjs'
import { mortal } from './mortal.mjs'

const { main } = await openModule('run/learner-process')
await main(mortal)
