/** @file `duet push`: sends a dataset or a policy to the Hugging Face Hub. */
import type { Command } from 'commander'
import { push } from '../vla/hub/push.ts'
import type { PushKind } from '../vla/hub/pushable.ts'
import { ProgressDisplay } from './progress.ts'

type Options = { private?: boolean; json?: boolean }

const DETAILS = `
Examples:
  duet push dataset runs/quick/lerobot me/bolts
  duet push policy runs/quick/policy me/bolts-policy --private

A token that may write is read from HF_TOKEN or from the file where the Hub's own tools keep it. What is there already is
not sent again: after a break, run the command once more. A dataset gets the tag v3.0, by which LeRobot finds it.
`

export function register(program: Command): void {
  const group = program.command('push').description('send a dataset or a policy to the Hugging Face Hub')
  const one = (kind: PushKind, description: string) =>
    group
      .command(kind)
      .description(description)
      .argument('<folder>', 'what to send')
      .argument('<repository>', 'owner/name; made where it is missing')
      .option('--private', 'a repository that is made now is seen by its owner alone')
      .option('--json', 'print one JSON object on standard output')
      .addHelpText('after', DETAILS)
      .action((folder: string, repository: string, options: Options) => run(kind, folder, repository, options))
  one('dataset', 'a LeRobot dataset, with its card and the tag v3.0')
  one('policy', 'an exported policy with its card')
}

async function run(kind: PushKind, folder: string, repository: string, { json, ...options }: Options): Promise<void> {
  const display = new ProgressDisplay()
  const onProgress = (done: number, total: number) => display.show({ stage: `sending ${kind} [files]`, done, total })
  try {
    const pushed = await push(kind, folder, repository, { ...options, onProgress })
    display.close()
    const { url, sent, there, removed, tag } = pushed
    const news = sent > 0 ? `sent ${sent} files` : 'nothing to send'
    const rest = [there > 0 && `${there} were there`, removed > 0 && `${removed} removed`, tag && `tag ${tag}`].filter(
      Boolean,
    )
    process.stdout.write(`${json ? JSON.stringify(pushed) : `${[news, ...rest].join(', ')}\n${url}`}\n`)
  } finally {
    display.close()
  }
}
