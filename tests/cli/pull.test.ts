/** @file `duet pull` from a terminal, and what `duet doctor` says of what it left. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { publishOcto } from '../vla/hub/models.ts'
import { HubServer } from '../vla/hub/server.ts'

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

async function duet(...args: string[]) {
  const env = { ...process.env, HF_ENDPOINT: server.endpoint, HF_HOME: home, HF_TOKEN: 'hf_test' }
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
  expect(JSON.parse((await duet('pull', 'octo-small', '--json')).stdout)).toMatchObject({
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
