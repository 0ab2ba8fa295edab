#!/usr/bin/env node
/**
 * @file Compiles the program into dist/, for the package: `npm pack` runs it. The tree there is that of src/, so that what is
 * found beside a module, or from the root, is found from there, too. Types are checked by `npm run typecheck`, not here.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = 'node_modules/typescript/bin/tsc'

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] }) // `npm pack --json` has the other
  if (status !== 0) process.exit(status ?? 1)
}

run('scripts/setup.mjs')
rmSync(join(root, 'dist'), { recursive: true, force: true })
run(compiler, '-p', 'tsconfig.build.json', '--noCheck')
run(compiler, '-p', 'tsconfig.types.json')
for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }))
  if (file.endsWith('.mjs')) cpSync(join(root, 'src', file), join(root, 'dist', file))
