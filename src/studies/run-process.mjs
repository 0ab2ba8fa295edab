// A process does not inherit the TypeScript loader of its parent: it registers its own, then trains.
import { register } from 'tsx/esm/api'

register()
await import('./run-process.ts')
