// A process loads for itself, then trains.
import { load } from '../load.mjs'

await load('studies/run-process')
