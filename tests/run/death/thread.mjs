// In place of src/run/learner-thread.mjs.
import { register } from 'tsx/esm/api'

register()
const { main } = await import('../../../src/run/learner-process.ts')
const { mortal } = await import('./mortal.ts')
await main(mortal)
