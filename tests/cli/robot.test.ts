/** @file `duet robot`: what holds robots, and a person's word that they may move again. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { FaultFile } from '../../src/robot/fault-file.ts'

const state = mkdtempSync(join(tmpdir(), 'duet-state-'))
afterAll(() => rmSync(state, { recursive: true }))
const bin = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const duet = (...args: string[]) =>
  spawnSync(process.execPath, [bin, ...args], { env: { ...process.env, DUET_STATE: state }, encoding: 'utf8' })

it('lists the faults that are kept, clears one by its name, and knows none of another', () => {
  new FaultFile('so101 left', join(state, 'faults')).write({
    kind: 'lost heartbeat',
    what: '2 s ago, the limit is 1 s',
  })
  expect(JSON.parse(duet('robot', 'faults', '--json').stdout).faults).toMatchObject([
    { robot: 'so101 left', kind: 'lost heartbeat' },
  ])
  expect(duet('robot', 'clear', 'so101 left').stdout).toContain('It held after: lost heartbeat: 2 s ago')
  expect(duet('robot', 'faults').stdout).toBe('No robot holds after a fault.\n')
  const again = duet('robot', 'clear', 'so101 left')
  expect([again.status, again.stderr]).toEqual([
    2,
    'robot "so101 left": holds after no fault. See `duet robot faults`\n',
  ])
}, 60_000)
