// What a thread is started with: it follows the run.
import { openModule } from '../../bin/program.mjs'

const { follow } = await openModule('run/lerobot-process')
await follow()
