/** @file The page of a fleet in a browser: robots that need help stand first, and a version is gone back to by holding a button. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FleetEvent, FleetRobot } from '../../src/console/protocol.ts'
import { type Console, openFleetConsole } from '../../src/console/server/open.ts'
import { FLEET_FIGURES } from '../../src/fleet/standings.ts'
import type { Metric } from '../../src/metrics/metrics.ts'
import { chromiumPath, openBrowser } from './browser.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const robot = (name: string, help: string | null): FleetRobot => ({
  ...{ robot: name, share: 0.5, lag: 0.02, policyAge: 12, episodes: 30, success: 0.7, heard: 0.4, does: 'acts' },
  help,
  page: name === 'B' ? 'http://b.local:8337/' : null,
})

const EVENT: Omit<FleetEvent, 'kind'> = {
  robots: [robot('B', 'force: 31 N on the tool'), robot('A', null)],
  versions: { newest: 1200, acting: 1150, chosen: null, failed: { version: 1180, successes: 2, trials: 10 } },
  kept: [
    { version: 900, at: '2026-01-01T10:00:00Z' },
    { version: 1150, at: '2026-01-01T10:01:00Z', trial: { successes: 8, trials: 10 } },
  ],
}

const DECLARED: Metric = { kind: 'figures', time: 0, robotSteps: 0, declared: [...FLEET_FIGURES] }

const metric = (time: number): Metric => ({
  kind: 'fleet',
  time,
  robotSteps: 10 * time,
  figures: { 'policyAge.A': 12 + time / 20, 'policyAge.B': 40, 'lag.A': 0.02, 'lag.B': 0.03 },
})

describe.skipIf(!chromiumPath)('the page of a fleet', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duet-fleet-page-'))
  const asked: (number | null)[] = []
  let operating: Console
  let browser: Browser
  beforeAll(async () => {
    const built = spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: root, encoding: 'utf8' })
    if (built.status !== 0) throw new Error(`the page cannot be built: ${built.stderr}`)
    const tasks = [{ name: 'pick', instruction: 'pick the bolt', maxSteps: 60, trained: true }]
    operating = await openFleetConsole(
      folder,
      {
        ...{ run: 'arms', settings: {}, tasks, controlRate: 10, folder },
        rollBack: (version) => void asked.push(version),
      },
      { port: 0 },
    )
    operating.observer.started({ past: [DECLARED, ...[0, 60, 120].map(metric)], followsCommands: false })
    operating.observer.fleetIs(EVENT)
    browser = await openBrowser()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await operating?.server.close()
    operating?.observer.close()
    rmSync(folder, { recursive: true })
  })

  it('puts who needs help first, and goes back to a version when its button has been held', {
    timeout: 90_000,
  }, async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(operating.server.address)
    const cards = page.locator('.fleet-robots > li')
    await cards.first().waitFor()
    expect(await cards.locator('h2').allTextContents()).toEqual(['B', 'A'])
    expect(await cards.first().getByRole('alert').textContent()).toContain('force: 31 N on the tool')
    const own = page.getByRole('link', { name: 'Tend it' })
    expect(await own.evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href))).toEqual([
      'http://b.local:8337/',
    ])
    expect(await page.locator('.topbar nav a').allTextContents()).toEqual(['Fleet', 'Sessions', 'Settings'])
    expect(await page.getByRole('button', { name: 'Stop' }).count()).toBe(0) // there is nothing that it would stop
    expect(await page.locator('.chart h3').allTextContents()).toContain('Policy age, updates')
    const back = page.locator('.versions li', { hasText: '900' }).getByRole('button')
    await back.click() // a click is too short
    await back.focus()
    await page.keyboard.down('Enter')
    await expect.poll(() => asked, { timeout: 20_000 }).toEqual([900])
    await page.keyboard.up('Enter')
    operating.observer.fleetIs({
      ...EVENT,
      versions: { ...EVENT.versions, chosen: { version: 900, at: '2026-01-01', by: 'Ann' } },
    })
    await page.getByText('Hold to let the newest out again').waitFor()
    expect(errors).toEqual([])
  })
})
