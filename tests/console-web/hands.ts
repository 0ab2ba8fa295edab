/**
 * @file Worn, unknown and forbidden input devices in a real page, before a real robot loop: what reaches the motors, and what
 * the page says.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PAGE } from '../../src/console/server/open.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { type HidRecording, hidForPage, installHid } from '../console/devices/recordings.ts'
import { Stage } from '../console/stage.ts'
import { chromiumPath, openBrowser } from './browser.ts'

const title = chromiumPath ? 'hands, in Chromium' : 'SKIPPED, no Chromium found: install it or set CHROMIUM to its path'

type Pad = { id: string; mapping: string; axes: number[]; down: number[] }

/** In the page: a gamepad that stands as the test says. */
function installPad(pad: Pad): void {
  Object.assign(window, { pad })
  const state = () => ({
    ...(window as unknown as { pad: Pad }).pad,
    index: 0,
    connected: true,
    buttons: Array.from({ length: 17 }, (_, i) => {
      const down = (window as unknown as { pad: Pad }).pad.down.includes(i)
      return { pressed: down, touched: down, value: down ? 1 : 0 }
    }),
  })
  Object.defineProperty(navigator, 'getGamepads', { value: () => [state(), null, null, null], configurable: true })
}
const stand = (page: Page, axes: number[], down: number[] = []) =>
  page.evaluate((next) => Object.assign((window as unknown as { pad: Pad }).pad, next), { axes, down })

/** Added to the page by the recordings. */
declare const playDevice: () => Promise<number[]>

describe.skipIf(!chromiumPath)(title, { timeout: 60_000 }, () => {
  let stage: Stage
  let browser: Browser
  beforeAll(async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const built = spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: root, encoding: 'utf8' })
    if (built.status !== 0) throw new Error(`the page cannot be built: ${built.stderr}`)
    stage = await Stage.open({ console: { page: PAGE } })
    stage.plan = () => [0, 0, 0, 0, 0, 0, 0] // so that whatever moves is the hand
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await stage?.close()
  })
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close()
    stage.observer.live!.hold.resume() // where a hand was lost with its page
  })

  const open = async (prepare: (page: Page) => Promise<unknown> = async () => {}, hash = '#devices') => {
    const page = await browser.newPage({ viewport: { width: 1300, height: 1000 } })
    await prepare(page)
    await page.goto(`${stage.server.address}${hash}`)
    await page.locator('.link.open').waitFor()
    stage.executed.length = 0
    return page
  }
  const says = (page: Page, selector: string, words: string | RegExp) =>
    page.locator(selector).filter({ hasText: words }).first().waitFor({ timeout: 10_000 })
  const most = (axis: number) => Math.max(0, ...stage.executed.map(({ action }) => Math.abs(action[axis]!)))
  const moved = () => [0, 1, 2, 3, 4, 5].some((axis) => most(axis) > 0)
  const operated = () =>
    [...readEpisodes(stage.folder.log)].flatMap(({ steps }) => steps.filter((s) => s.actor === 'operator'))

  it('a stick that rests at 0.3 takes nothing, and the page says that it was not seen at rest; let go of, it moves the arm', async () => {
    const pad = { id: 'Worn Pad', mapping: 'standard', axes: [0.3, 0, 0, 0], down: [] }
    const page = await open((page) => page.addInitScript(installPad, pad))
    await says(page, '.device [role="alert"]', /Worn Pad has not been seen at rest: let go of it/)
    await stand(page, [0.3, 0, 0, 0], [5]) // RB
    await page.waitForTimeout(600)
    expect([stage.observer.inControl.control.holder, moved()]).toEqual([null, false])

    await stand(page, [0.1, 0, 0, 0]) // at rest in a stick's zone
    await page.locator('.device [role="alert"]').waitFor({ state: 'detached' })
    await page.waitForTimeout(300)
    const before = operated().length
    await stand(page, [0, -1, 0, 0])
    await expect.poll(() => most(0), { timeout: 10_000 }).toBe(1)
    await stand(page, [0, 0, 0, 0])
    await expect
      .poll(
        () =>
          operated()
            .slice(before)
            .some(({ action }) => action[0] === 1),
        { timeout: 10_000 },
      )
      .toBe(true) // in the log
  })

  it('a device that is stuck in the hand does not hold the arm for ever: the run waits for a person', async () => {
    const still: HidRecording = {
      note: 'pushed by 100 counts for ever, without a tremor',
      hid: { vendorId: 0x256f, productId: 0xc635, productName: 'Compact', collections: [{ usagePage: 1, usage: 8 }] },
      reports: [{ at: 0, bytes: ['01 64 00 00 00 00 00'], every: 16, until: 7500 }],
      readings: [],
    }
    const page = await open((page) => page.addInitScript(installHid, hidForPage(still)))
    await page.waitForTimeout(400)
    const played = page.evaluate(() => playDevice())
    await expect.poll(() => most(1), { timeout: 10_000 }).toBeGreaterThan(0.2)
    await says(page, '.device [role="alert"]', 'repeats the same values')
    await expect.poll(() => stage.observer.live!.hold.paused, { timeout: 10_000 }).toBe(true)
    await says(page, '.notices', /^Paused: SpaceMouse Compact/)
    await played
  })

  it('Esc of a puck behind the Universal Receiver stops the robot', async () => {
    const stopping: HidRecording = {
      note: 'Esc',
      hid: { vendorId: 0x256f, productId: 0xc652, productName: 'Receiver', collections: [{ usagePage: 1, usage: 8 }] },
      reports: [{ at: 0, bytes: ['03 00 00 40 00 00 00', '03 00 00 00 00 00 00'], every: 50, until: 50 }],
      readings: [],
    }
    const page = await open((page) => page.addInitScript(installHid, hidForPage(stopping)))
    await page.locator('.device h3', { hasText: 'Universal Receiver' }).waitFor()
    await page.evaluate(() => playDevice())
    await expect.poll(() => stage.observer.live!.hold.stopped, { timeout: 10_000 }).toBe(true)
    await expect.poll(() => stage.observer.live!.hold.clear('the test'), { timeout: 10_000 }).toBe(true)
  })

  it('a SpaceMouse that Linux keeps from the browser is named, with the rule to install', async () => {
    const page = await open((page) =>
      page.addInitScript(() => {
        const device = {
          ...{ vendorId: 0x256f, productId: 0xc635, productName: 'SpaceMouse Compact', opened: false },
          collections: [{ usagePage: 1, usage: 8 }],
          open: () => Promise.reject(new DOMException('Failed to open the device.', 'NotAllowedError')),
        }
        const hid = Object.assign(new EventTarget(), {
          getDevices: async () => [device],
          requestDevice: async () => [device],
        })
        Object.defineProperty(navigator, 'hid', { value: hid })
        Object.defineProperty(navigator, 'userAgent', { value: 'Mozilla/5.0 (X11; Linux x86_64)' })
      }),
    )
    await says(page, '.trouble', /^SpaceMouse Compact cannot be opened: on Linux a rule of udev must allow it/)
    await says(page, '.trouble pre', 'KERNEL=="hidraw*", ATTRS{idVendor}=="256f", MODE="0660", TAG+="uaccess"')
  })

  it('a browser that forbids gamepads and SpaceMice says so, and the keyboard still works', async () => {
    const page = await open((page) =>
      page.addInitScript(() => {
        const refuse = () => {
          throw new DOMException(
            'Access to the feature "gamepad" is disallowed by permissions policy.',
            'SecurityError',
          )
        }
        Object.defineProperty(navigator, 'getGamepads', { value: refuse })
        const hid = { getDevices: async () => refuse(), addEventListener: () => {} }
        Object.defineProperty(navigator, 'hid', { value: hid })
      }),
    )
    await says(page, '.trouble', 'does not let the page see gamepads')
    await says(page, '.trouble', 'does not let this page use a SpaceMouse')
    await page.keyboard.down('w')
    await expect.poll(() => most(0), { timeout: 10_000 }).toBe(1)
    await page.keyboard.up('w')
  })

  it('a pad of unknown layout does nothing until it is mapped; then it moves the arm, also after the page was loaded anew', async () => {
    const rest = [0, 0, -1, 3.28571]
    const pad = { id: 'Flight Stick', mapping: '', axes: rest, down: [] }
    const page = await open((page) => page.addInitScript(installPad, pad))
    await says(
      page,
      '.device [role="alert"]',
      /does not know the layout of Flight Stick: it does nothing until it is mapped/,
    )
    await stand(page, [1, 0, 1, -1])
    await page.waitForTimeout(400)
    expect(moved()).toBe(false)
    await stand(page, rest)

    await page.getByRole('button', { name: 'Map it' }).click()
    const show = async (control: string, axes: number[], down: number[] = []) => {
      await page.getByRole('button', { name: `Set ${control}`, exact: true }).click()
      await says(page, '.gamepad-mapping .learning', 'now push it all the way')
      await stand(page, axes, down)
      await says(page, '.gamepad-mapping .learning', 'and let go of it')
      await stand(page, rest)
      await page.locator('.gamepad-mapping .learning').waitFor({ state: 'detached' })
    }
    await show('forward', [0, -1, -1, 3.28571])
    await show('turn left', [0, 0, -1, 0.71429])
    await show('hand over', rest, [4])
    expect(moved()).toBe(false)
    await page.getByRole('button', { name: 'Use this mapping' }).click()
    await page.locator('.device [role="alert"]').waitFor({ state: 'detached' })

    await page.reload()
    await page.locator('.link.open').waitFor()
    await page.waitForTimeout(400)
    await stand(page, [0, 1, -1, 0.71429])
    await expect.poll(() => most(5), { timeout: 10_000 }).toBe(1) // the hat turns
    expect(stage.executed.some(({ action }) => action[0] === -1)).toBe(true) // the stick goes back, too
    await stand(page, rest)
    await page.getByRole('button', { name: 'Forget its mapping' }).click()
    await says(page, '.device [role="alert"]', 'until it is mapped')
  })

  it('the key of the gripper turns it round from what the robot is asked for, also in the next episode, which begins open', async () => {
    const page = await open(undefined, '#live')
    const asked = () => stage.executed.at(-1)?.action[6]
    const endEpisode = async () => {
      const { length } = stage.episodes
      await page.keyboard.press('x')
      await expect.poll(() => stage.episodes.length, { timeout: 10_000 }).toBe(length + 1)
      return length
    }
    await endEpisode() // one that began when the page opened would be over by the clock in the middle of this
    await page.keyboard.down('h')
    await expect.poll(() => stage.observer.inControl.person.holding, { timeout: 10_000 }).toBe(true)
    for (const grip of [1, -1, 1]) {
      await page.waitForTimeout(1000) // the page has heard of the last one
      await page.keyboard.press('g')
      await expect.poll(asked, { timeout: 10_000 }).toBe(grip)
    }
    await page.keyboard.up('h')
    const ended = await endEpisode()
    await expect.poll(asked, { timeout: 10_000 }).toBe(-1)
    await page.keyboard.down('h')
    await page.waitForTimeout(1000)
    await page.keyboard.press('g')
    await expect.poll(asked, { timeout: 10_000 }).toBe(1)
    await page.keyboard.up('h')
    const { steps } = [...readEpisodes(stage.folder.log)][ended]!
    expect(new Set(steps.map(({ action }) => action[6]))).toEqual(new Set([-1, 1]))
  })

  it('the keyboard moves the arm again after the page’s clock stood still; where the line is slow the page says what to do', async () => {
    let delay = 0
    const page = await open(async (page) => {
      await page.addInitScript(() => {
        const now = performance.now.bind(performance)
        performance.now = () => now() - ((window as unknown as { slept?: number }).slept ?? 0)
      })
      await page.routeWebSocket(/\/live/, (socket) => {
        const server = socket.connectToServer()
        socket.onMessage((message) => void setTimeout(() => server.send(message), delay))
      })
    }, '#live')
    const moves = async () => {
      stage.executed.length = 0
      await page.keyboard.down('a')
      await expect.poll(() => most(1), { timeout: 10_000 }).toBeGreaterThan(0.5)
      await page.keyboard.up('a')
      await page.waitForTimeout(800)
    }
    await moves()
    await page.evaluate(() => Object.assign(window, { slept: 12_000 }))
    await moves()
    await page.locator('.late').waitFor({ state: 'detached' })

    delay = 1500
    await page.keyboard.down('a')
    await says(page, '.late', /^Your input arrives too old \(1\.\d s\)\. The arm holds still/)
    stage.executed.length = 0
    await page.waitForTimeout(1000)
    expect(moved()).toBe(false)
    await page.keyboard.up('a')
    await page.locator('.late').waitFor({ state: 'detached', timeout: 10_000 })
  })
})
