/**
 * @file Finds the program's modules, for whatever starts them: the command, a thread, a process of its own. Nothing else knows
 * where they are (decision 62). The package has them compiled in dist/. In a clone they are what `scripts/setup.mjs` bundled
 * or, where the source has changed since, the TypeScript of src/, read file by file, which takes three times as long.
 */
import { existsSync, readFileSync } from 'node:fs'

const from = (folder) => new URL(`../${folder}/`, import.meta.url)

/** `name`: its path in src/, without ending. Of what is bundled, all modules share one copy. */
export async function openModule(name) {
  if (!existsSync(from('src'))) return import(new URL(`${name}.js`, from('dist')))
  const stamp = new URL('stamp', from('build/program'))
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === (await stampOfSource())) {
    process.setSourceMapsEnabled(true) // errors name places in the source
    return import(new URL(`${name}.js`, from('build/program')))
  }
  const { register } = await import('tsx/esm/api') // by each thread: it does not inherit its parent's
  register()
  return import(new URL(`${name}.ts`, from('src')))
}

async function stampOfSource() {
  const { sourceStamp } = await import('../scripts/source-stamp.mjs')
  return sourceStamp()
}
