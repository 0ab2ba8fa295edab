// What a thread is started with: it becomes the learner.
import { openModule } from '../../bin/program.mjs'

const { main } = await openModule('run/learner-process')
await main()
