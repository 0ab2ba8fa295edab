// What a thread is started with: it makes trials of an evaluation.
import { openModule } from '../../bin/program.mjs'

const { makeTrials } = await openModule('run/evaluator-process')
await makeTrials()
