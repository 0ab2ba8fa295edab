// A thread does not inherit the TypeScript loader of its parent: it registers its own, then follows the run.
import { register } from 'tsx/esm/api'

register()
const { follow } = await import('./lerobot-process.ts')
await follow()
