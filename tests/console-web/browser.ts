/** @file A run with its console, and a browser that looks at it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type LoggedEpisode, readEpisodes } from '../../src/replay/log-reader.ts'
import { RunFolder } from '../../src/run/folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const CHROMIUM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  process.env.CHROMIUM ?? '',
]
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const OFFLINE = ['--disable-background-networking', '--disable-component-update', '--disable-sync']

/**
 * What Playwright switches off, as this list takes the place of its own; and renderers that Chromium makes ready beside each
 * page, for a next page and for suggestions in a bar that nobody sees. They cost more than the page does.
 */
const WITHOUT = [
  ...['AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'HttpsUpgrades', 'LensOverlay'],
  ...['HttpsFirstBalancedModeAutoEnable', 'MediaRouter', 'PaintHolding', 'ThirdPartyStoragePartitioning'],
  ...['OptimizationHints', 'NetworkTimeServiceQuerying', 'PreconnectToSearch', 'AimEnabled'],
  ...['SpareRendererForSitePerProcess', 'WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup'],
]

/** undefined where the machine has no Chromium. */
export const chromiumPath = CHROMIUM.find((path) => path !== '' && existsSync(path))

export const openBrowser = (...args: string[]): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath,
    args: [...QUIET, ...OFFLINE, `--disable-features=${WITHOUT}`, ...args],
  })

/** What a page shows is the same of a learner that leaves the cores to the page. */
const LIGHT = ['networks.sees=h', 'learner.batch=8', 'learner.refinement.batch=4', 'warmUp.updates=4']

/** A tiny run of the fast arm with its console; it goes on until it is ended. */
export class LiveRun {
  readonly errors: string[] = []
  readonly sent: string[] = [] // by all pages, oldest first
  private output = ''
  private kept?: Page

  private constructor(
    private readonly process: ChildProcess,
    private readonly runs: string,
  ) {}

  static async start(...settings: string[]): Promise<LiveRun> {
    const built = spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: root, encoding: 'utf8' })
    if (built.status !== 0) throw new Error(`the page cannot be built: ${built.stderr}`)
    const runs = mkdtempSync(join(tmpdir(), 'duet-console-'))
    const overrides = ['robot.arm=gantry', 'online.robotMinutes=600', 'evaluation.trials=1', ...LIGHT, ...settings]
    const child = spawn(
      process.execPath,
      [
        ...['bin/duet.mjs', 'train', '--preset', 'tiny', '--console', '--port', '0', '--runs', runs, '--name', 'live'],
        ...overrides.flatMap((setting) => ['--set', setting]),
      ],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    const run = new LiveRun(child, runs)
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (bytes) => (run.output += String(bytes)))
    return run
  }

  /** Of the page, once the server listens. */
  async address(): Promise<string> {
    for (;;) {
      const found = this.output.match(/Console: (http\S+)/)
      if (found) return found[1]!
      if (this.process.exitCode !== null) throw new Error(`the run ended: ${this.output}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /** The page that stays open from test to test, once it shows practice; to open one takes seconds. */
  async shared(browser: Browser): Promise<Page> {
    if (!this.kept || this.kept.isClosed()) this.kept = await this.page(browser)
    else await practised(this.kept)
    return this.kept
  }

  /** Closes all pages but the shared one; nobody has control then. */
  async tidy(browser: Browser): Promise<void> {
    for (const context of browser.contexts()) if (context !== this.kept?.context()) await context.close()
    if (!this.kept || this.kept.isClosed()) return
    const release = this.kept.getByRole('button', { name: 'Give up' })
    if (await release.isVisible()) await release.click()
    await this.kept.locator('.lease', { hasText: 'Nobody has control' }).waitFor({ timeout: 15_000 })
    await this.kept.getByRole('link', { name: 'Live', exact: true }).click()
    await this.kept.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  }

  /** Closes the shared page as well: the next to ask gets a new one. */
  async closePages(browser: Browser): Promise<void> {
    for (const context of browser.contexts()) await context.close()
  }

  /** A page once it shows practice, in which a person may help; what goes wrong in it is kept in `errors`. */
  async page(browser: Browser, prepare: (page: Page) => Promise<unknown> = async () => {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } })
    page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => this.sent.push(String(payload))))
    page.on('pageerror', (error) => this.errors.push(error.message))
    page.on('console', (message) => message.type() === 'error' && this.errors.push(message.text()))
    await prepare(page)
    await page.goto(await this.address())
    await page.waitForSelector('canvas.picture[data-step]', { timeout: 90_000 })
    await practised(page)
    return page
  }

  /** The episodes in the run's log on disk that have ended. */
  episodes(): LoggedEpisode[] {
    const all = [...readEpisodes(new RunFolder(join(this.runs, 'live')).log)]
    return all.filter(({ end }) => end.ending !== 'interrupted')
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    if (this.process.exitCode === null && this.process.signalCode === null) await gone
    rmSync(this.runs, { recursive: true, force: true })
  }
}

const practised = (page: Page) => page.locator('.where-step', { hasText: /^episode \d/ }).waitFor({ timeout: 60_000 })
