/** @file `duet pull` from a terminal, and what `duet doctor` says of what it left. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { publishOcto } from '../vla/hub/models.ts'
import { HubServer } from '../vla/hub/server.ts'
import { CERTIFICATE, startProxy, startTls } from '../vla/hub/stand-ins.ts'
import { duetHere } from './here.ts'

const program = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const CHECKPOINT = '300000/default/checkpoint'

let server: HubServer
let home: string
beforeAll(async () => {
  server = await HubServer.start()
  home = mkdtempSync(join(tmpdir(), 'duet-pull-'))
})
afterAll(async () => {
  await server.stop()
  rmSync(home, { recursive: true })
})

afterEach(() => vi.unstubAllEnvs())

const duet = (...args: string[]) => duetWith({}, ...args)

const environmentWith = (more: Record<string, string>) => ({
  HF_ENDPOINT: server.endpoint,
  HF_HOME: home,
  HF_TOKEN: 'hf_test',
  NO_PROXY: '127.0.0.1',
  ...more,
})

function duetHereWith(environment: Record<string, string>, ...args: string[]) {
  for (const [name, value] of Object.entries(environmentWith(environment))) vi.stubEnv(name, value)
  return duetHere(...args)
}

async function duetWith(environment: Record<string, string>, ...args: string[]) {
  const env = { ...process.env, ...environmentWith(environment) }
  const child = spawn(process.execPath, [program, ...args], { env })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => (stdout += data))
  child.stderr.on('data', (data) => (stderr += data))
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { status, stdout, stderr }
}

async function doctor() {
  const { stdout } = await duet('doctor', '--json')
  const { checks } = JSON.parse(stdout) as { checks: { check: string; ok: boolean; warning?: true; found: string }[] }
  return Object.fromEntries(checks.map(({ check, ...rest }) => [check, rest]))
}

it('says what is missing, fetches it, and the doctor times it', async () => {
  const refused = await duet('train', '--preset', 'tiny', '--vla', 'octo', '--runs', join(home, 'runs'))
  expect(refused.status).toBe(2)
  expect(refused.stderr).toContain('Fetch it with `duet pull octo-small`')
  expect(existsSync(join(home, 'runs'))).toBe(false)

  const commit = publishOcto(server)
  server.faults.push({ path: CHECKPOINT, fault: 'lies' })
  const broken = await duet('pull', 'octo-small')
  expect([broken.status, broken.stdout]).toEqual([2, ''])
  expect(broken.stderr).toMatch(/octo-small-1\.5, 300000\/default\/checkpoint: came with the checksum .*it was deleted/)
  expect(broken.stderr).not.toContain('    at ')
  expect(broken.stderr).not.toContain('hf_test')
  expect((await doctor())['files of octo-small']).toMatchObject({
    ok: true,
    warning: true,
    found: expect.stringMatching(/^incomplete, MIT, .*missing: rail-berkeley\/octo-small-1\.5, 300000/),
  })

  const pulled = await duet('pull', 'octo-small')
  expect([pulled.status, pulled.stdout]).toEqual([0, expect.stringContaining('Use it: duet train --vla octo\n')])
  expect(JSON.parse((await duetHereWith({}, 'pull', 'octo-small', '--json')).stdout)).toMatchObject({
    model: 'octo-small',
    revision: commit,
    fetchedBytes: 0,
  })
  const checks = await doctor()
  expect(checks['files of octo-small']!.found).toContain(`complete, MIT, ${commit.slice(0, 12)}`)
  expect(checks['files of t5-base']!.found).toContain('its tokenizer only')
  expect(checks['files of smolvla']!.found).toBe('not fetched; duet pull smolvla')
  expect(checks['octo encoder']!.found).toMatch(/^[\d.]+ ms an observation on cpu, loaded in/)
  expect(checks['nano encoder']!.found).toMatch(/ ms an observation on cpu/)
  expect(checks['smolvla encoder']).toBeUndefined()
})

describe('by way of a proxy', () => {
  it('tunnels to the Hub and to its store, over TLS, and prints no secret', async () => {
    publishOcto(server)
    const [hub, store] = [server.endpoint, server.storeAddress]
    const doors = await Promise.all([hub, store].map((address) => startTls(Number(new URL(address).port))))
    const proxy = await startProxy({ 'hub.test': doors[0]!.port, 'store.test': doors[1]!.port })
    const certificate = join(home, 'certificate.pem')
    writeFileSync(certificate, CERTIFICATE)
    server.storeAddress = 'https://store.test'
    try {
      const { status, stdout, stderr } = await duetWith(
        {
          HF_ENDPOINT: 'https://hub.test',
          HF_HOME: join(home, 'tunnelled'),
          HTTPS_PROXY: `http://me:swordfish@127.0.0.1:${proxy.port}`,
          NODE_EXTRA_CA_CERTS: certificate,
        },
        'pull',
        'octo-small',
      )
      expect([status, stderr]).toEqual([0, expect.not.stringContaining('swordfish')])
      expect(stdout).toContain('Use it: duet train --vla octo\n')
      const account = `Basic ${Buffer.from('me:swordfish').toString('base64')}`
      expect(new Set(proxy.asked.map(({ authorization }) => authorization))).toEqual(new Set([account]))
      expect(new Set(proxy.asked.map(({ line }) => line))).toEqual(
        new Set(['CONNECT hub.test:443', 'CONNECT store.test:443']),
      )
    } finally {
      Object.assign(server, { storeAddress: store })
      for (const each of [proxy, ...doors]) await each.stop()
    }
  })
})

it.each([
  [{ HF_TOKEN: 'hf_secret…part' }, 'HF_TOKEN: the token holds an ellipsis'],
  [{ HF_TOKEN: 'hf_secret\nhf_part' }, 'HF_TOKEN: the token holds several lines'],
])('says what is wrong with a token in one line without it (%j)', async (environment, fault) => {
  publishOcto(server)
  const given = { ...environment, HF_HOME: join(home, 'token') }
  const { status, stdout, stderr } = await duetHereWith(given, 'pull', 'octo-small', '--json')
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain(fault)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stderr).not.toContain('secret')
})
