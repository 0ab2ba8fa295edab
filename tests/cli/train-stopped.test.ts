/** @file `duet train`, told to end before it has recorded anything. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'

const duet = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const runs = mkdtempSync(join(tmpdir(), 'duet-stopped-'))
afterAll(() => rmSync(runs, { recursive: true }))

it('offers to go on from no folder that it then removes', async () => {
  const training = spawn(process.execPath, [duet, 'train', '--preset', 'tiny', '--runs', runs, '--no-console'])
  let told = ''
  training.stdout.on('data', (text) => {
    if (told === '') training.kill('SIGINT') // nothing is open yet
    told += text
  })
  const [code] = await once(training, 'close')
  expect(code).toBe(0)
  expect(told).toContain(`Run ${join(runs, 'tiny')}`)
  expect(told).not.toContain('Continue')
  expect(readdirSync(runs)).toEqual([])
}, 60_000)
