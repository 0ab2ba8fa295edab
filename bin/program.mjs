/**
 * @file Finds the program's modules, for whatever starts them: the command, a thread, a process of its own. In a clone they are
 * TypeScript in src/, which tsx reads; the package has them compiled in dist/. Nothing else knows the difference (decision 62).
 */
import { existsSync } from 'node:fs'

const sources = new URL('../src/', import.meta.url)
const compiled = !existsSync(sources)
if (!compiled) (await import('tsx/esm/api')).register() // a thread does not inherit the loader of its parent

/** `name`: its path in src/, without ending. */
export const openModule = (name) =>
  import(compiled ? new URL(`../dist/${name}.js`, import.meta.url) : new URL(`${name}.ts`, sources))
