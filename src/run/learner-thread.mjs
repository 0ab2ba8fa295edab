// A thread does not inherit the TypeScript loader of its parent: it registers its own, then becomes the learner.
import { register } from 'tsx/esm/api'

register()
const { main } = await import('./learner-process.ts')
await main()
