/** @file `duet robot check` at a terminal. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, expect, it, onTestFinished, vi } from 'vitest'
import { writePolicy } from '../../src/policies/file.ts'
import { aPolicy } from '../policies/a-policy.ts'
import { duetHere } from './here.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-check-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('moves nothing where the terminal is gone when it asks: no answer is no yes', async () => {
  vi.stubEnv('DUET_STATE', folder)
  const config = join(folder, 'arm.yaml')
  const tasks = '{ reach: { instruction: reach the red mark, maxSteps: 60 } }'
  writeFileSync(config, `robot: { kind: so101, port: simulated, tasks: ${tasks} }\n`)
  const typed = Object.assign(new PassThrough(), { isTTY: true })
  typed.end() // Ctrl-D, or a window that was closed
  const stdin = Object.getOwnPropertyDescriptor(process, 'stdin')!
  Object.defineProperty(process, 'stdin', { value: typed, configurable: true })
  onTestFinished(() => {
    Object.defineProperty(process, 'stdin', stdin)
    vi.unstubAllEnvs()
  })
  const { status, stdout, stderr } = await duetHere('robot', 'check', '--config', config, '--out', join(folder, 'out'))
  expect([status, stderr]).toEqual([2, expect.stringContaining('nobody answers any more. Begin again at a terminal')])
  expect(stdout).not.toContain('it moves')
}, 60_000)

it('tries no task that the policy was not trained on', async () => {
  vi.stubEnv('DUET_STATE', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  const [config, policy] = [join(folder, 'cell.yaml'), join(folder, 'arm.onnx')]
  writeFileSync(config, 'robot: { arm: gantry }\ntasks: [pick]\n')
  const { network, about } = await aPolicy()
  writePolicy(policy, network, about)
  const { status, stderr } = await duetHere(
    ...['robot', 'check', '--config', config, '--policy', policy, '--task', 'place', '--yes'],
  )
  expect([status, stderr]).toEqual([2, 'the policy: has no task "place". It has: pick\n'])
}, 120_000)
