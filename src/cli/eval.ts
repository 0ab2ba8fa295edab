/** @file `duet eval`: success of a trained policy on fresh seeds. */
import type { Command } from 'commander'
import { evaluate, evaluationNoise } from '../run/evaluate.ts'
import { formatTable } from '../run/summary.ts'
import { wholeNumber } from './options.ts'
import { withTrained } from './withTrained.ts'

type Options = { checkpoint: string; trials?: number; firstSeed?: number; task?: string[]; json?: boolean }

export function register(program: Command): void {
  program
    .command('eval')
    .description('success of a trained policy on fresh seeds: no operator, no commands')
    .requiredOption('--checkpoint <path>', 'a run folder, or one of its checkpoints')
    .option('--task <name...>', 'only these tasks')
    .option('--trials <n>', 'episodes per task; by default as in the run', wholeNumber)
    .option('--first-seed <n>', 'seed of the first trial; by default as in the run', wholeNumber)
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', '\nExample:\n  duet eval --checkpoint runs/quick --trials 100 --first-seed 2000000\n')
    .action(run)
}

const run = (options: Options) =>
  withTrained(options.checkpoint, async (trained, display) => {
    const { config, session, perception, policy } = trained
    const tasks = options.task ?? config.tasks
    const trials = options.trials ?? config.evaluation.trials
    let done = 0
    const scores = await evaluate({ robot: session.robot, perception, policy, noise: evaluationNoise(config) }, tasks, {
      trials,
      firstSeed: options.firstSeed ?? config.evaluation.firstSeed,
      onEpisode: ({ task, ending }) =>
        display.show({ stage: 'evaluation', done: ++done, total: trials * tasks.length, note: `${task}: ${ending}` }),
    })
    display.close()
    if (options.json) process.stdout.write(`${JSON.stringify({ checkpoint: trained.checkpoint, tasks: scores })}\n`)
    else {
      const rows = Object.entries(scores).map(([task, { success, interval, trials: n, meanSteps }]) => [
        task,
        `${(100 * success).toFixed(0)} %`,
        `${(100 * interval[0]).toFixed(0)} to ${(100 * interval[1]).toFixed(0)} %`,
        String(n),
        meanSteps.toFixed(1),
      ])
      process.stdout.write(`${formatTable(['task', 'success', '95 % interval', 'trials', 'mean steps'], rows)}\n`)
    }
  })
