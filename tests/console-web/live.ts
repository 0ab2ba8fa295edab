import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LoggedEpisode } from '../../src/replay/log-reader.ts'
import {
  gamepadRecording,
  hidForPage,
  hidRecording,
  installGamepad,
  installHid,
} from '../console/devices/recordings.ts'
import { chromiumPath, LiveRun, openBrowser } from './browser.ts'

const title = chromiumPath
  ? 'the console in Chromium, beside a live run'
  : 'SKIPPED, no Chromium found: install it or set CHROMIUM to its path'

/** Added to the page by the recordings. */
declare const playDevice: () => Promise<number[]>

describe.skipIf(!chromiumPath)(title, { timeout: 60_000 }, () => {
  let run: LiveRun
  let browser: Browser
  beforeAll(async () => {
    run = await LiveRun.start('operator.kind=none', 'online.pace=2')
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await run?.end()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      await run.closePages(browser) // as it left them, they would fail others
    else await run.tidy(browser)
  })

  const step = (page: Page) => page.locator('canvas.picture').first().getAttribute('data-step').then(Number)
  const says = (page: Page, selector: string, words: string | RegExp) =>
    page.locator(selector).filter({ hasText: words }).first().waitFor({ timeout: 15_000 })
  const until = <T>(read: () => T | undefined | false, what: string): Promise<T> =>
    expect.poll(read, { timeout: 30_000, interval: 300, message: what }).toBeTruthy() as Promise<T>
  /** Requests of the page that are not answered yet, to addresses with this part. */
  const underWay = (page: Page, part: string): ReadonlySet<Request> => {
    const open = new Set<Request>()
    page.on('request', (request) => request.url().includes(part) && open.add(request))
    page.on('requestfinished', (request) => open.delete(request))
    page.on('requestfailed', (request) => open.delete(request))
    return open
  }
  const takeControl = async (page: Page) => {
    await page.getByRole('button', { name: 'Take control' }).click()
    await says(page, '.lease', 'You have control')
  }
  /** For as long as it takes: a page on a machine with much else to do counts its second late. */
  const holdToClear = async (page: Page) => {
    const clear = page.getByRole('button', { name: 'Hold to clear the stop' })
    await clear.hover()
    await page.mouse.down()
    await clear.waitFor({ state: 'detached', timeout: 15_000 })
    await page.mouse.up()
  }
  const episodeOf = (page: Page) =>
    page
      .locator('.where-step')
      .innerText()
      .then((words) => words.split(' · ')[0])
  /** The verdict counts at once, unless it has counted by itself before the click came through. */
  const now = (page: Page) =>
    page
      .getByRole('button', { name: 'Now', exact: true })
      .click({ timeout: 2500 })
      .catch(() => {})
  /** Ends the episode as a failure, or waits until it ends by itself, whichever comes first. */
  const endEpisode = async (page: Page) => {
    const episode = await episodeOf(page)
    const judge = async () => {
      if ((await episodeOf(page)) !== episode) return
      await page.keyboard.press('Backspace')
      await now(page)
    }
    await expect.poll(() => judge().then(() => episodeOf(page)), { timeout: 40_000 }).not.toBe(episode)
  }
  const operated = (from: number, fits: (action: Float32Array) => boolean) => (): LoggedEpisode | undefined =>
    run
      .episodes()
      .slice(from)
      .find(({ steps }) => steps.some(({ actor, action }) => actor === 'operator' && fits(action)))

  describe('in a page that stays open', () => {
    it('shows moving pictures of both cameras and how old they are', async () => {
      const page = await run.shared(browser)
      const first = await step(page)
      const pixels = () =>
        page.evaluate(() => (document.querySelector('canvas.picture') as HTMLCanvasElement).toDataURL())
      const before = await pixels()
      await expect.poll(() => step(page), { timeout: 15_000 }).toBeGreaterThan(first + 3)
      await expect.poll(pixels, { timeout: 15_000 }).not.toBe(before)
      expect(await page.locator('canvas.picture').count()).toBe(2)
      const age = Number(await page.locator('canvas.picture').first().getAttribute('data-age'))
      expect(age).toBeGreaterThan(0)
      expect(age).toBeLessThan(2000)
      expect(await page.locator('.age').first().innerText()).toMatch(/^(\d+ ms|old: [\d.]+ s)$/)
    })

    it('lets the keyboard take over; the log holds the intervention, and it turns into talk', async () => {
      const page = await run.shared(browser)
      const from = run.episodes().length
      await page.keyboard.down('d')
      await says(page, '.lease', 'You have control') // asked for by the push itself
      await says(page, '.who', 'Operator')
      await page.waitForTimeout(1200)
      await page.keyboard.up('d')
      await says(page, '.who', 'Primary actor')
      await endEpisode(page)
      await says(page, '.labels li b', /^right$/)
      const found = await until(
        operated(from, ([, y]) => y! < -0.9),
        'a push to the right in the log',
      )
      expect(found).toBeTruthy()
    })

    it('shows what is understood of a phrase, says it, and the refinement actor acts', async () => {
      const page = await run.shared(browser)
      await takeControl(page)
      const from = run.episodes().length
      const box = page.getByRole('combobox', { name: 'Command' })
      await box.fill('a lot to the left and up') // lasts longest
      await says(page, '.is-understood', 'move left and up')
      expect(await page.locator('.said').count()).toBe(0) // nothing acts yet
      const heeded = Promise.all([says(page, '.said b', 'move left and up'), says(page, '.who', 'Refinement actor')])
      await box.press('Enter')
      await heeded // looked for before it is said: it lasts seconds
      await box.fill('fetch me a coffee')
      await says(page, '.not-understood', 'coffee')
      expect(await page.getByRole('button', { name: 'Say', exact: true }).isDisabled()).toBe(true)
      await box.fill('')
      await box.blur()
      await endEpisode(page)
      await until(
        () =>
          run
            .episodes()
            .slice(from)
            .flatMap(({ steps }) => steps)
            .some(({ actor, command }) => actor === 'refinement' && command === 'move left and up'),
        'a step of the refinement actor under the command',
      )
    })

    it('says a pair from the dial, and draws it before it is said', async () => {
      const page = await run.shared(browser)
      await takeControl(page)
      // in both pictures: the arm of this untrained policy may have left one of them
      const drawn = () =>
        page
          .locator('canvas.overlay')
          .evaluateAll((all) => all.map((one) => (one as HTMLCanvasElement).toDataURL()).join())
      await page.getByRole('button', { name: 'Pause' }).click()
      await says(page, '.banner', 'Paused')
      const bare = await drawn()
      const pair = page.getByRole('button', { name: 'move right and forward' })
      await pair.hover()
      await expect.poll(drawn, { timeout: 15_000 }).not.toBe(bare)
      await page.getByRole('button', { name: 'Resume' }).click()
      const said = says(page, '.said b', 'move right and forward')
      await pair.click()
      await said
    })

    it('ends what a direction of the dial asks for when the hand that held it lets go, not after a tap', async () => {
      const page = await run.shared(browser)
      const from = run.sent.length
      const kinds = () =>
        run.sent
          .slice(from)
          .map((text) => JSON.parse(text).kind)
          .filter((kind) => ['command', 'silence'].includes(kind))
      await takeControl(page)
      const button = page.getByRole('button', { name: 'move up' })
      await button.click()
      await expect.poll(kinds, { timeout: 15_000 }).toEqual(['command'])
      await button.hover()
      await page.mouse.down()
      await expect.poll(() => kinds().length, { timeout: 15_000 }).toBeGreaterThan(2)
      expect(new Set(kinds())).toEqual(new Set(['command']))
      await page.mouse.up()
      await expect.poll(kinds, { timeout: 15_000 }).toContain('silence')
      expect(kinds().at(-1)).toBe('silence')
    })

    it('takes a verdict back, and brings the next one to the reward of the last step', async () => {
      const page = await run.shared(browser)
      await takeControl(page)
      const from = run.episodes().length
      const waits = async () => {
        const shown = page.locator('.verdicts', { hasText: 'says success' }).waitFor({ timeout: 5000 })
        await page.keyboard.press('Enter')
        return shown.then(
          () => true,
          () => false, // it has counted by itself, which takes three seconds
        )
      }
      await expect.poll(waits, { timeout: 30_000 }).toBe(true)
      await page.keyboard.press('z')
      await says(page, '.verdicts', 'ends the episode')
      const judged = () =>
        run
          .episodes()
          .slice(from)
          .find(({ end }) => end.ending === 'success')
      const judge = async () => {
        await page.keyboard.press('Enter') // between two episodes there is nothing to judge
        await now(page)
        return judged()
      }
      await expect.poll(judge, { timeout: 30_000, interval: 300 }).toBeTruthy()
      const { steps, end } = judged()!
      const last = { ...steps.at(-1)!, ...end.verdict }
      expect([last.reward, last.terminated]).toEqual([1, true])
      expect(steps.slice(0, -1).every(({ reward }) => reward === 0)).toBe(true)
    })

    it('records a demonstration by hand, lets it be looked through, and keeps it', async () => {
      const page = await run.shared(browser)
      await takeControl(page)
      const pictures = underWay(page, '/frames/')
      await page.getByRole('link', { name: 'Record' }).click()
      await page.getByText('assemble the bolt into the slot', { exact: true }).last().click()
      await page.getByRole('button', { name: 'Record assemble' }).click()
      await says(page, '.record-phase', 'Show it')
      await page.keyboard.down('f')
      await page.waitForTimeout(1000)
      await page.keyboard.up('f')
      await page.keyboard.press('Enter')
      const player = page.locator('.player')
      await player.waitFor({ timeout: 20_000 })
      await says(page, '.player .who', 'Operator')
      await player.getByRole('slider', { name: 'Step' }).fill('2')
      await says(page, '.player .where-step', /^step 2 of \d+$/)
      await player.getByRole('slider', { name: 'Step' }).press('End') // from where no picture is fetched ahead
      await says(page, '.player .where', 'ended: success')
      await expect.poll(() => pictures.size, { timeout: 15_000 }).toBe(0) // once it is kept they are gone: errors
      await page.getByRole('button', { name: 'Keep' }).click()
      await says(page, '.list label', /assemble the bolt into the slot\s*1 kept/)
    })

    it('stops by the space bar, says so when the robot stands, and goes on only by a deliberate act', async () => {
      const page = await run.shared(browser)
      await takeControl(page)
      await page.keyboard.press('Space')
      await says(page, '.who', 'Stopped')
      await says(page, '.banner', /Read back: \d\.\d mm\/s/)
      const stood = await step(page)
      const clear = page.getByRole('button', { name: 'Hold to clear the stop' })
      await clear.click() // too short
      await page.waitForTimeout(1500)
      expect(await step(page)).toBe(stood)
      await says(page, '.who', 'Stopped')
      await holdToClear(page)
      await says(page, '.banner', 'Paused')
      await page.getByRole('button', { name: 'Resume' }).click()
      await expect.poll(() => step(page), { timeout: 15_000 }).toBeGreaterThan(stood + 2)
    })

    it('stops by Escape from within a text field, where a space is a space', async () => {
      const page = await run.shared(browser)
      await takeControl(page)
      const box = page.getByRole('combobox', { name: 'Command' })
      await box.pressSequentially('up and')
      expect(await box.inputValue()).toBe('up and')
      expect(await page.locator('.banner-stopped').count()).toBe(0)
      await box.press('Escape')
      await says(page, '.who', 'Stopped')
      await holdToClear(page)
      await page.getByRole('button', { name: 'Resume' }).click()
      await says(page, '.who', /Primary|Refinement/)
      await box.fill('')
    })

    it('shows a page that opens while the robot waits how it stands, of when that is, and who has control; that is handed over when the first page says so', async () => {
      const first = await run.shared(browser)
      await takeControl(first)
      await first.getByRole('button', { name: 'Pause' }).click()
      await says(first, '.banner', 'Paused')
      await first.waitForTimeout(500)
      const second = await run.page(browser)
      await says(second, '.age', /^as it was [\d.]+ s ago$/)
      await first.getByRole('button', { name: 'Resume' }).click()
      await says(second, '.age', /^(\d+ ms|old: [\d.]+ s)$/) // of now, though a busy computer draws late
      await says(second, '.lease', /page \d+ has control/)
      await second.keyboard.press('Enter') // a verdict without control
      await says(second, '.notices', 'has control')
      const [ask, handOver] = [
        second.getByRole('button', { name: 'Ask for control' }),
        first.getByRole('button', { name: /^Hand over to/ }),
      ]
      await ask.click()
      await handOver.waitFor()
      await second.getByRole('button', { name: /withdraw$/ }).click()
      await handOver.waitFor({ state: 'detached' })
      await ask.click()
      await handOver.click()
      await says(second, '.lease', 'You have control')
      await says(first, '.lease', /page \d+ has control/)
    })

    it('replays an episode of the log, step by step', async () => {
      const page = await run.shared(browser)
      await page.getByRole('link', { name: 'Sessions' }).click()
      const player = page.locator('.player')
      await player.waitFor({ timeout: 30_000 })
      await player.getByRole('slider', { name: 'Step' }).fill('3')
      await says(page, '.player .where-step', /^step 3 of \d+$/)
      const loaded = () =>
        player.locator('img').evaluateAll((all) => all.every((one) => (one as HTMLImageElement).naturalWidth === 128))
      await expect.poll(loaded, { timeout: 15_000 }).toBe(true)
    })
  })

  describe('in a page of its own', () => {
    beforeAll(() => run.closePages(browser))

    it('lets a gamepad take over', async () => {
      const page = await run.page(browser, (page) =>
        page.addInitScript(installGamepad, gamepadRecording('gamepad-push-right')),
      )
      const from = run.episodes().length
      await takeControl(page)
      await page.evaluate(() => playDevice())
      await endEpisode(page)
      await says(page, '.labels li b', /^right$/)
      await until(
        operated(from, ([, y]) => y! < -0.9),
        'the stick’s push to the right in the log',
      )
    })

    it('lets a SpaceMouse take over', async () => {
      const page = await run.page(browser, (page) =>
        page.addInitScript(installHid, hidForPage(hidRecording('push-left-and-up'))),
      )
      const from = run.episodes().length
      await takeControl(page)
      await page.evaluate(() => playDevice())
      await endEpisode(page)
      await says(page, '.labels li b', /^left and up$/)
      await until(
        operated(from, ([, y, z]) => y! > 0.2 && z! > 0.2),
        'the push to the left and up in the log',
      )
    })

    it('raises the alarm for a device that falls silent while it is pushed', async () => {
      const page = await run.page(browser, (page) =>
        page.addInitScript(installHid, hidForPage(hidRecording('receiver-falls-silent'))),
      )
      await page.getByRole('link', { name: 'Devices' }).click()
      const played = page.evaluate(() => playDevice())
      await page.locator('.device.dead [role="alert"]').waitFor({ timeout: 15_000 })
      await played
      await page.getByRole('button', { name: 'Give up' }).click() // a hand that is lost with its page would pause the run
      await says(page, '.lease', 'Nobody has control')
    })

    it('stops while it is being told to, by mouth or by keys, though the page has no control', async () => {
      const page = await run.page(browser, (page) =>
        page.addInitScript(() => {
          class Ear {
            onresult?: (event: unknown) => void
            start() {
              const results = [{ isFinal: false, 0: { transcript: 'go left no wait stop', confidence: 0 } }]
              setTimeout(() => this.onresult?.({ results }), 50)
            }
            stop() {}
          }
          Object.assign(window, { SpeechRecognition: Ear, webkitSpeechRecognition: Ear })
        }),
      )
      const goOn = async () => {
        await takeControl(page)
        await holdToClear(page)
        await page.getByRole('button', { name: 'Resume' }).click()
        await says(page, '.who', /Primary|Refinement/)
        await page.getByRole('button', { name: 'Give up' }).click()
        await says(page, '.lease', 'Nobody has control')
      }
      await page.getByRole('button', { name: 'Hold to talk' }).click()
      await says(page, '.who', 'Stopped')
      await goOn()
      const box = page.getByRole('combobox', { name: 'Command' })
      await box.fill('')
      await box.pressSequentially('please stop')
      await says(page, '.who', 'Stopped')
      await box.fill('you are too far left')
      await says(page, '.understood', 'move right')
      expect(await page.getByRole('button', { name: 'move left', exact: true }).count()).toBe(1) // the dial's
      await box.fill('')
      await box.blur()
      await goOn()
    })

    it('says that the connection is lost, and finds it again', async () => {
      let cut = () => {}
      const page = await run.page(browser, (page) =>
        page.routeWebSocket(/\/live/, (socket) => {
          socket.connectToServer()
          cut = () => void socket.close()
        }),
      )
      const said = says(page, '.line-banner', 'Connection lost') // looked for before: a quarter of a second later it is found again
      cut()
      await said
      await page.locator('.line-banner').waitFor({ state: 'detached', timeout: 15_000 })
      const found = await step(page)
      await expect.poll(() => step(page), { timeout: 15_000 }).toBeGreaterThan(found)
    })
  })

  it('has raised no error in any of these pages, and broken no rule of the server’s content policy', () => {
    expect(run.errors.filter((error) => !/WebSocket connection/.test(error)).join('\n')).toBe('')
  })
})
