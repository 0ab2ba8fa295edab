#!/usr/bin/env node
/**
 * @file Makes a fresh clone runnable: installs the packages, builds the optimiser kernel and the console's page. Uses
 * Node's own modules only, since nothing else may be there yet. Does nothing, quickly, when all is up to date. `--force` builds again.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const kernelSource = 'src/graph/kernels/adam.as.ts'
const kernelBinary = 'build/kernels/adam.wasm'
const compiler = 'node_modules/assemblyscript/bin/asc.js'
const page = 'build/console/index.html'
const pageSource = 'src/console/web'
const pageNeeds = ['devices', 'protocol.ts', 'api.ts']
  .map((path) => `src/console/${path}`)
  .concat('src/talk', 'src/metrics', 'src/review')

const changed = (path) => (existsSync(`${root}${path}`) ? statSync(`${root}${path}`).mtimeMs : 0)

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error || status !== 0) {
    console.error(`setup: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}.`)
    process.exit(status || 1)
  }
}

function requireNode() {
  const [major] = process.versions.node.split('.').map(Number)
  if (major >= 20) return
  console.error(`setup: Node ${process.versions.node} is too old. Install Node 20 or newer.`)
  process.exit(1)
}

/** npm writes node_modules/.package-lock.json at the end of an install, which makes it the marker. */
function installPackages() {
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return
  if (lockedAsInstalled()) return
  console.error('setup: installing packages (npm ci) ...')
  // onnxruntime's install script would fetch CUDA libraries; the CPU library is part of the package.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    env,
    shell: process.platform === 'win32',
  })
}

/** A checkout gives package-lock.json a new date without a new content; then the installed versions are still right. */
function lockedAsInstalled() {
  if (!changed('node_modules/.package-lock.json')) return false
  const read = (path) => JSON.parse(readFileSync(`${root}${path}`, 'utf8')).packages
  const installed = read('node_modules/.package-lock.json')
  return Object.entries(read('package-lock.json')).every(
    ([path, { version, optional, peer }]) => path === '' || optional || peer || installed[path]?.version === version,
  )
}

function buildKernel(force) {
  if (!force && changed(kernelBinary) >= changed(kernelSource)) return
  console.error('setup: building the optimiser kernel ...')
  mkdirSync(`${root}build/kernels`, { recursive: true })
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noExportMemory']
  run(process.execPath, [compiler, kernelSource, '--outFile', kernelBinary, ...options])
}

/** When the newest file of a folder, or the file itself, was changed. */
function newest(path) {
  if (!existsSync(`${root}${path}`) || !statSync(`${root}${path}`).isDirectory()) return changed(path)
  const files = readdirSync(`${root}${path}`, { recursive: true, encoding: 'utf8' })
  return files.reduce((latest, file) => Math.max(latest, changed(`${path}/${file}`)), 0)
}

function buildPage(force) {
  if (!force && changed(page) >= Math.max(...[pageSource, ...pageNeeds, 'package-lock.json'].map(newest))) return
  console.error('setup: building the page of the console ...')
  run(process.execPath, ['node_modules/vite/bin/vite.js', 'build', pageSource])
}

requireNode()
installPackages()
buildKernel(process.argv.includes('--force'))
buildPage(process.argv.includes('--force'))
