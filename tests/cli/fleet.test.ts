/** @file `duet fleet` as a command, where no broker and no learner is started. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FleetFolder } from '../../src/fleet/folder.ts'
import { readInvitation } from '../../src/fleet/invitation.ts'
import { newKeys, saveKeys } from '../../src/fleet/keys.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import { duetHere } from './here.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-fleet-cli-'))
afterAll(() => rmSync(runs, { recursive: true }))

const invite = (run: string, robot: string, ...args: string[]) =>
  duetHere('fleet', 'invite', join(runs, run), robot, ...args)

describe('an invitation to a broker of one’s own', () => {
  it('is made for a run that is not there yet, with its settings', async () => {
    const { status, stdout, stderr } = await invite(
      ...(['arms', 'left', '--preset', 'tiny', '--set', 'seed=3', '--broker', 'tls://nats.lab:4222'] as const),
    )
    expect([status, stderr]).toEqual([0, expect.stringContaining('Your broker lets in whom')])
    expect(readInvitation(stdout)).toMatchObject({ run: 'arms', robot: 'left', url: 'tls://nats.lab:4222' })
    const { config } = RunFolder.open(join(runs, 'arms'))
    expect(config).toMatchObject({ seed: 3, tasks: ['pick', 'assemble'], online: { lockstep: false } })
    expect(readFileSync(new FleetFolder(join(runs, 'arms')).brokerUsers, 'utf8')).toContain('duet.arms.up.left')

    expect(readInvitation((await invite('arms', 'right')).stdout)).toMatchObject({ robot: 'right' })
    const other = await invite('arms', 'third', '--broker', 'tls://other.lab:4222')
    expect([other.status, other.stderr]).toEqual([2, expect.stringContaining('were invited to tls://nats.lab:4222')])
    const again = await invite('arms', 'third', '--set', 'seed=4')
    expect([again.status, again.stderr]).toEqual([2, expect.stringContaining('is there, and has its settings')])
  })

  it('makes no run where there could be no robot: without a broker, or under a name that no subject takes', async () => {
    for (const [run, args, words] of [
      ['typo', ['--broker', 'tls://nats.lab:4222'], 'holds no run'],
      ['new', ['--preset', 'tiny'], 'holds no run'],
      ['my arms', ['--preset', 'tiny', '--broker', 'tls://nats.lab:4222'], 'run "my arms": has a name that cannot'],
    ] as const) {
      const { status, stderr } = await invite(run, 'left', ...args)
      expect([status, stderr]).toEqual([2, expect.stringContaining(words)])
      expect(existsSync(join(runs, run))).toBe(false)
    }
  })
})

it('a fleet is not begun under a name that no subject takes, and its folder is not made', async () => {
  const before = readdirSync(runs)
  const { status, stderr } = await duetHere(
    'fleet',
    'up',
    join(runs, 'two robots'),
    '--preset',
    'tiny',
    '--robots',
    '0',
  )
  expect([status, stderr]).toEqual([2, expect.stringContaining('Use letters, digits, "-" and "_"')])
  expect(readdirSync(runs)).toEqual(before)
})

it('a broker goes nowhere else than where robots were invited to', async () => {
  const { path } = RunFolder.create(
    join(runs, 'known'),
    resolveConfig('tiny', undefined, [{ online: { lockstep: false } }]),
  )
  saveKeys(
    new FleetFolder(path),
    newKeys({ run: 'known', host: '127.0.0.1', port: 4222, names: ['127.0.0.1'], tls: false }),
  )
  for (const args of [
    ['--host', '0.0.0.0'],
    ['--port', '4223'],
    ['--host-name', 'learner.lab'],
  ]) {
    const { status, stderr } = await duetHere('fleet', 'up', path, '--robots', '0', ...args)
    const words = `${args.join(' ')}: is another place than nats://127.0.0.1:4222, to which robots of ${path} were invited`
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)])
  }
})
