// What a process is started with: it trains.
import { openModule } from '../../bin/program.mjs'

await openModule('studies/run-process')
