/** @file `duet eval` as a command: what it refuses before anything acts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { writePolicy } from '../../src/policies/file.ts'
import { aPolicy } from '../policies/a-policy.ts'
import { duetHere } from './here.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-eval-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('refuses a task that the policy was not trained on, by name', async () => {
  const file = join(folder, 'arm.onnx')
  const { network, about } = await aPolicy()
  writePolicy(file, network, { ...about, settings: { ...about.settings, tasks: ['pick'] } })
  for (const task of ['juggle', 'place']) {
    const { status, stdout, stderr } = await duetHere('eval', '--policy', file, '--task', task, '--trials', '1')
    expect([status, stdout, stderr]).toEqual([2, '', `--task ${task}: is no task of this policy. It has: pick\n`])
  }
})

it('takes the tasks that a config gives the robot, of whom a policy server is asked', async () => {
  vi.stubEnv('DUET_STATE', folder)
  const config = join(folder, 'arm.yaml')
  const tasks = '{ reach: { instruction: reach the red mark, maxSteps: 60 } }'
  writeFileSync(config, `robot: { kind: so101, port: simulated, tasks: ${tasks} }\n`)
  const { status, stderr } = await duetHere('eval', '--policy', 'ws://127.0.0.1:9', '--config', config)
  vi.unstubAllEnvs()
  expect([status, stderr]).toEqual([2, expect.stringContaining('ws://127.0.0.1:9')])
})

it('refuses a device beside a policy server, which has its own', async () => {
  const { status, stderr } = await duetHere('eval', '--policy', 'ws://127.0.0.1:9', '--device', 'cpu')
  expect([status, stderr]).toEqual([2, expect.stringContaining('--device: is given with a policy server')])
})

it.each([
  [['--chain', '3', '--trials', '4'], '--trials: is given with --chain'],
  [['--chain', '3', '--task', 'pick'], '--task: is given with --chain'],
  [['--chain', '3', '--console'], '--console: is given with --chain'],
  [['--chains', '4'], '--chains: is given without --chain'],
])('refuses %j, of which one would be ignored', async (args, words) => {
  const { status, stderr } = await duetHere('eval', '--checkpoint', 'nowhere', ...args)
  expect([status, stderr]).toEqual([2, expect.stringContaining(words)])
})
