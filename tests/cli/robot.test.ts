/** @file `duet robot`: what holds robots, and a person's word that they may move again. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { FaultFile } from '../../src/robot/fault-file.ts'
import { duetHere } from './here.ts'

const state = mkdtempSync(join(tmpdir(), 'duet-state-'))
afterAll(() => rmSync(state, { recursive: true }))
afterEach(() => vi.unstubAllEnvs())
const bin = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const duet = (...args: string[]) =>
  spawnSync(process.execPath, [bin, ...args], { env: { ...process.env, DUET_STATE: state }, encoding: 'utf8' })

/** What was told to robots from a terminal, oldest first. */
const orders = (): unknown[] =>
  readFileSync(join(state, 'faults', 'orders.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const serlArm = (url: string) => `robot:
  kind: serl
  name: bench
  url: ${url}
  startPose: [0.5, 0, 0.2, 3.14, 0, 0]
  tasks: { pick: { instruction: pick it up, maxSteps: 10 } }
  cameras: {}
  safety: { workBox: { low: [0.3, -0.2, 0.1], high: [0.7, 0.2, 0.4] }, speed: 0.15 }
`

it('lists the faults that are kept, clears one by its name, and knows none of another', async () => {
  vi.stubEnv('DUET_STATE', state)
  new FaultFile('so101 left', join(state, 'faults')).write({
    kind: 'lost heartbeat',
    what: '2 s ago, the limit is 1 s',
  })
  expect(JSON.parse((await duetHere('robot', 'faults', '--json')).stdout).faults).toMatchObject([
    { robot: 'so101 left', kind: 'lost heartbeat' },
  ])
  expect((await duetHere('robot', 'clear', 'so101 left')).stdout).toContain('It held after: lost heartbeat: 2 s ago')
  expect((await duetHere('robot', 'faults')).stdout).toBe('No robot holds after a fault.\n')
  const again = await duetHere('robot', 'clear', 'so101 left')
  expect([again.status, again.stderr]).toEqual([
    2,
    'robot "so101 left": holds after no fault. See `duet robot faults`\n',
  ])
  expect(orders()).toMatchObject([{ order: 'clear', robot: 'so101 left', by: userInfo().username }])
})

it('stops a robot by its fault even where the robot itself cannot be reached, and writes down who did', () => {
  const config = join(state, 'arm.yaml')
  writeFileSync(config, serlArm('http://127.0.0.1:9/'))
  const { status, stdout, stderr } = duet('robot', 'stop', '--config', config)
  expect([status, stdout]).toEqual([2, expect.stringContaining('none moves it before `duet robot clear bench-A`')])
  expect(stderr).toContain('nobody listens there')
  const who = userInfo().username
  const what = `stopped by ${who} from a terminal`
  expect(new FaultFile('bench-A', join(state, 'faults')).read()).toMatchObject({ kind: 'stopped', what })
  expect(orders().at(-1)).toMatchObject({ order: 'stop', robot: 'bench-A', by: who })
})

it('stops a robot of another driver by its fault, and says that there is no second way to it', async () => {
  vi.stubEnv('DUET_STATE', state)
  const config = join(state, 'foreign.yaml')
  const module = fileURLToPath(new URL('../robots/driver/arm.mjs', import.meta.url))
  const safety = '{ workBox: { low: [0.3, -0.1, 0.1], high: [0.5, 0.1, 0.23] }, speed: 0.25 }'
  writeFileSync(config, `robot: { kind: driver, module: ${module}, safety: ${safety} }\n`)
  const { status, stdout, stderr } = await duetHere('robot', 'stop', '--config', config)
  expect([status, stdout]).toEqual([
    2,
    expect.stringContaining('none moves it before `duet robot clear a foreign arm A`'),
  ])
  expect(stderr).toContain('cannot be told to stop beside whoever drives it')
  expect(new FaultFile('a foreign arm A', join(state, 'faults')).read()).toMatchObject({ kind: 'stopped' })
})

it.each([
  ['its fault', 'faults', 'cannot be kept'],
  ['the order', join('faults', 'orders.jsonl'), 'cannot be written down'],
])('stops a robot even where %s finds no place, and says so', async (_, taken, words) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    response.end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const home = mkdtempSync(join(state, 'full-'))
  if (taken === 'faults') writeFileSync(join(home, 'faults'), 'no folder')
  else mkdirSync(join(home, taken), { recursive: true })
  vi.stubEnv('DUET_STATE', home)
  const config = join(home, 'arm.yaml')
  writeFileSync(config, serlArm(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
  try {
    const { status, stderr } = await duetHere('robot', 'stop', '--config', config)
    expect(asked).toContain('/stopimp')
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
