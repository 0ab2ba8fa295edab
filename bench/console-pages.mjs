/** @file Entry of the thread with the pages: registers the TypeScript loader, then starts them. */
import { register } from 'tsx/esm/api'

register()
await import('./console-pages.ts')
