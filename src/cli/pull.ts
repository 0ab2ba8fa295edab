/** @file `duet pull`: fetches the published files of an encoder. */
import { Argument, type Command } from 'commander'
import { CATALOGUE, MODELS, type ModelName } from '../vla/hub/catalogue.ts'
import { pull } from '../vla/hub/pull.ts'
import { ProgressDisplay } from './progress.ts'

const SHOWN = 1e6 // bytes: smaller files are there at once

type Options = { revision?: string; folder?: string; json?: boolean }

const DETAILS = `
Examples:
  duet pull smolvla                        then: duet train --vla smolvla
  duet pull octo-small
  duet pull octo-base                      then: duet train --vla octo --vla-path octo-base
  duet pull smolvla --folder usb/smolvla   plain files, for a machine without network: duet train --vla smolvla --vla-path <folder>

An interrupted download goes on where it stopped; every file is compared with its published checksum. Files lie in the
cache of the Hugging Face Hub, where its other tools find them. The Hub's variables are heeded: HF_HOME, HF_HUB_CACHE,
HF_TOKEN, HF_TOKEN_PATH, HF_ENDPOINT, HF_HUB_OFFLINE; so are HTTPS_PROXY, HTTP_PROXY and NO_PROXY. docs/encoders.md has sizes, sources and licences.
`

export function register(program: Command): void {
  program
    .command('pull')
    .description('fetch the published files of an encoder')
    .addArgument(new Argument('<model>', 'what to fetch').choices(MODELS))
    .option('--revision <name>', 'branch, tag or commit of its repository')
    .option('--folder <folder>', 'put the files here instead of the cache; files that are there are checked and kept')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText('after', DETAILS)
    .action(run)
}

async function run(model: ModelName, options: Options): Promise<void> {
  const display = new ProgressDisplay()
  try {
    const pulled = await pull(model, {
      revision: options.revision,
      folder: options.folder,
      onProgress: (file, done, total) => {
        if (total >= SHOWN) display.show({ stage: `${file} [MB]`, done: done / 1e6, total: total / 1e6 })
      },
    })
    display.close()
    if (options.json) process.stdout.write(`${JSON.stringify({ model, ...pulled })}\n`)
    else process.stdout.write(`${describe(model, pulled, options)}\n`)
  } finally {
    display.close()
  }
}

function describe(model: ModelName, pulled: Awaited<ReturnType<typeof pull>>, { revision, folder }: Options): string {
  const { licence, use } = CATALOGUE[model]
  const { path, fetchedBytes } = pulled
  const news = fetchedBytes > 0 ? `fetched ${(fetchedBytes / 1e6).toFixed(1)} MB` : 'nothing to fetch'
  const found = folder === undefined && revision === undefined
  const vla = /^--vla \w+/.exec(use)?.[0]
  const option = vla ? `${vla} --vla-path ${path}` : use.replace(/=.*/, `=${path}`)
  return [
    `${model} ${pulled.revision.slice(0, 12)}, licence ${licence}: ${news}`,
    `It lies in ${path}`,
    `Use it: duet train ${found ? use : option}`,
  ].join('\n')
}
