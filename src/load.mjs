/**
 * @file Loads a part of the program into a process or thread: as `scripts/setup.mjs` bundled it, or, where the source
 * has changed since, from the TypeScript file by file, which takes three times as long.
 */
import { existsSync, readFileSync } from 'node:fs'
import { sourceStamp } from './source-stamp.mjs'

const BUILT = new URL('../build/program/', import.meta.url)

/** The module of a path below src, without `.ts`. Of what is bundled, all parts share one copy. */
export async function load(part) {
  const stamp = new URL('stamp', BUILT)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceStamp()) {
    process.setSourceMapsEnabled(true) // errors name places in the source
    return import(new URL(`${part}.js`, BUILT))
  }
  const { register } = await import('tsx/esm/api')
  register()
  return import(`./${part}.ts`)
}
