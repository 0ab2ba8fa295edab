#!/usr/bin/env node
/**
 * @file Tries the package as a stranger would: packs it, installs the tarball into an empty folder, trains `tiny` with it for a
 * moment, exports what came of it, and compiles a program against its types. `npm run release-check`; `--keep` leaves the folder.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const keep = process.argv.includes('--keep')
const place = mkdtempSync(join(tmpdir(), 'duet-package-'))
const empty = join(place, 'empty')
const windows = process.platform === 'win32'
const npm = windows ? 'npm.cmd' : 'npm'
const duet = join(empty, 'node_modules', '.bin', windows ? 'duet.cmd' : 'duet')

process.on('exit', () => keep || rmSync(place, { recursive: true, force: true }))

function fail(what) {
  console.error(`release check: ${what}`)
  process.exit(1)
}

function run(cwd, command, ...args) {
  const began = performance.now()
  const options = { cwd, shell: windows, encoding: 'utf8', stdio: ['ignore', 'pipe', 2] }
  const { status, stdout, error } = spawnSync(command, args, options)
  const line = [command, ...args].join(' ').replaceAll(place, '.').trim()
  if (error || status !== 0) fail(`${line} failed${error ? `: ${error.message}` : `\n${stdout}`}`)
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`)
  return stdout
}

function checkChanges({ version }) {
  const changes = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) fail(`version "${version}" is none of semver`)
  if (!changes.includes(`\n## ${version}`)) fail(`CHANGELOG.md has no section "${version}"`)
}

function pack() {
  const told = JSON.parse(run(root, npm, 'pack', '--json', '--pack-destination', place))
  const { filename, size, files } = Array.isArray(told) ? told[0] : Object.values(told)[0]
  const strangers = files.filter(({ path }) => /(^|\/)(src|tests|docs|scripts|runs)\/|(?<!\.d)\.tsx?$/.test(path))
  if (strangers.length > 0) fail(`the tarball holds ${strangers[0].path}, which nobody needs`)
  console.log(`          ${filename}: ${(size / 1e6).toFixed(2)} MB, ${files.length} files`)
  return join(place, filename)
}

/** A driver as a stranger writes it; where a type were lost, the lines that expect an error would have none. */
const STRANGER = `
import { LogSource, readEpisodes, type Step } from 'duet'
import { type Robot, type RobotSpec, SafeRobot } from 'duet/robot'

export const guarded = (robot: Robot): Robot => new SafeRobot(robot, { limits: { force: 20 } })
export const sourceOf = (folder: string, spec: RobotSpec) => new LogSource(folder, spec)
export const rewards: number[] = [...readEpisodes('log')].flatMap(({ steps }) => steps.map(({ reward }) => reward))
// @ts-expect-error: a number
export const index: Step['step'] = 'first'
// @ts-expect-error: no such limit
new SafeRobot({} as Robot, { limits: { noSuchLimit: 20 } })
`

function compileStranger() {
  writeFileSync(join(empty, 'stranger.mts'), STRANGER)
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  }
  writeFileSync(join(empty, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['stranger.mts'] }))
  run(root, process.execPath, 'node_modules/typescript/bin/tsc', '-p', empty)
}

/** A run that ends before its first update would end well, too. */
function train() {
  run(
    empty,
    duet,
    'train',
    '--preset',
    'tiny',
    '--name',
    'tiny',
    '--set',
    'online.robotMinutes=0.1',
    '--set',
    'evaluation.trials=1',
  )
  const metrics = readFileSync(join(empty, 'runs/tiny/metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const kind of ['update', 'episode', 'evaluation'])
    if (!metrics.some((metric) => metric.kind === kind)) fail(`the run measured no ${kind}`)
}

/** Beside training: what reads the page, a log, and the types' other half. */
function use() {
  run(empty, duet, 'export', 'mcap', 'runs/tiny', '--out', 'tiny.mcap')
  if (readFileSync(join(empty, 'tiny.mcap')).subarray(1, 5).toString() !== 'MCAP') fail('tiny.mcap is no MCAP file')
  const reading =
    "const { readEpisodes } = await import('duet'); await import('duet/robot'); console.log([...readEpisodes('runs/tiny/log')].length)"
  const episodes = Number(run(empty, process.execPath, '--input-type=module', '-e', reading))
  if (!(episodes > 0)) fail('the installed package reads no episode of its own run')
  if (!existsSync(join(empty, 'node_modules/duet/build/console/index.html'))) fail('the page of the console is missing')
}

checkChanges(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
mkdirSync(empty)
// Scripts of packages are not needed: that of onnxruntime would fetch CUDA's libraries.
run(empty, npm, 'install', '--prefix', empty, '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', pack())
train()
use()
compileStranger()
console.log(`release check: fine on Node ${process.versions.node}`)
