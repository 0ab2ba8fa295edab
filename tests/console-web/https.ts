import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { chromiumPath, openBrowser } from './browser.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const title = chromiumPath
  ? 'the console in Chromium, from another machine'
  : 'SKIPPED, no Chromium found: install it or set CHROMIUM to its path'

describe.skipIf(!chromiumPath)(title, { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'duet-https-'))
  let command: ChildProcess
  let browser: Browser
  let said = ''
  beforeAll(async () => {
    spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: root })
    RunFolder.create(join(folder, 'runs', 'over'), parseConfig('test', mergeSettings(presets.tiny, {})))
    const options = ['--host', '0.0.0.0', '--port', '0', '--tls', '--host-name', 'robot.local']
    command = spawn(process.execPath, ['bin/duet.mjs', 'console', '--runs', join(folder, 'runs'), ...options], {
      cwd: root,
      env: { ...process.env, DUET_STATE: join(folder, 'state') },
    })
    for (const stream of [command.stdout!, command.stderr!]) stream.on('data', (bytes) => (said += String(bytes)))
    // Stands in for multicast DNS, and for the person who compares the fingerprint.
    browser = await openBrowser('--host-resolver-rules=MAP robot.local 127.0.0.1', '--ignore-certificate-errors')
  })
  afterAll(async () => {
    await browser?.close()
    command?.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })

  it('may use devices and microphone, since the page came by https', async () => {
    await expect.poll(() => said, { timeout: 30_000 }).toContain('Ctrl-C')
    const address = /From other machines: (https:\/\/robot\.local:\d+\/\S+)/.exec(said)?.[1]
    expect(said).toMatch(/SHA-256 ([\dA-F]{2}:){31}[\dA-F]{2}\n/)
    const page = await browser.newPage()
    const connected = page.waitForEvent('websocket')
    const heard = connected.then((socket) => socket.waitForEvent('framereceived'))
    await page.goto(address!)
    expect((await connected).url()).toMatch(/^wss:\/\/robot\.local:/)
    expect(JSON.parse(String((await heard).payload))).toMatchObject({ kind: 'hello', mode: 'replay' })
    const has = await page.evaluate(() => [isSecureContext, 'hid' in navigator, 'mediaDevices' in navigator])
    expect(has).toEqual([true, true, true])
  })
})
