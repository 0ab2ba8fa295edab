/** @file What a page shows, and sends, of events that are told by hand. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type ClientMessage,
  encodeFrame,
  type Hello,
  PROTOCOL_VERSION,
  type SceneEvent,
  type State,
} from '../../src/console/protocol.ts'
import { RunLibrary } from '../../src/console/server/library.ts'
import { RunObserver } from '../../src/console/server/observer.ts'
import { PAGE } from '../../src/console/server/open.ts'
import { toJpeg } from '../../src/console/server/pictures.ts'
import { ConsoleServer } from '../../src/console/server/server.ts'
import { chromiumPath, openBrowser } from './browser.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const HELLO: Hello = {
  ...{ kind: 'hello', protocol: PROTOCOL_VERSION, client: '1', mode: 'live', run: 'arms', settings: {}, cameras: [] },
  robots: [
    { cell: 'A', name: 'arm A' },
    { cell: 'B', name: 'arm B' },
  ],
  tasks: [{ name: 'pick', instruction: 'pick the bolt', maxSteps: 60, trained: true }],
  ...{ actionScale: { translation: 0.01, rotation: 0.1 }, controlRate: 10, serverTime: 0 },
}
const CONTROL = { kind: 'control', holding: false, waiting: [], operator: 'person' } as const
const STATE = { kind: 'state', step: 1, stage: 'practice', task: 'pick', episode: 3, episodeStep: 1, maxSteps: 60 }
const state = (changes: Partial<State>) => ({ ...STATE, ...changes }) as State

describe.skipIf(!chromiumPath)('a page that is told by hand', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'duet-told-'))
  const observer = new RunObserver({ replay: 'none' })
  let server: ConsoleServer
  let browser: Browser
  beforeAll(async () => {
    const built = spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: root, encoding: 'utf8' })
    if (built.status !== 0) throw new Error(`the page cannot be built: ${built.stderr}`)
    server = await ConsoleServer.open({ observer, library: new RunLibrary(folder), page: PAGE, port: 0 })
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    observer.close()
    rmSync(folder, { recursive: true })
  })
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close()
  })

  /** A page in control that has heard of the events. */
  const open = (...events: object[]) => openPrepared(async () => {}, ...events)

  async function openPrepared(prepare: (page: Page) => Promise<unknown>, ...events: object[]) {
    const page: Page = await browser.newPage({ viewport: { width: 1300, height: 1000 } })
    await prepare(page)
    const sent: ClientMessage[] = []
    let tell: (...events: object[]) => void = () => {}
    let close = () => {}
    let there = true
    await page.routeWebSocket(/\/live/, (socket) => {
      if (!there) return
      close = () => void socket.close()
      socket.onMessage((text) => {
        const message = JSON.parse(String(text)) as ClientMessage
        sent.push(message)
        if (message.kind === 'ping') tell({ kind: 'pong', t: message.t, serverTime: Date.now(), left: message.t })
      })
      tell = (...all) => {
        for (const event of all) socket.send(event instanceof Uint8Array ? Buffer.from(event) : JSON.stringify(event))
      }
      tell(HELLO, { ...CONTROL, holder: { client: '1', name: 'Anna' } }, ...events)
    })
    await page.goto(server.address)
    await page.locator('.link.open').waitFor()
    const asked = () => sent.filter(({ kind }) => !['ping', 'hidden', 'input'].includes(kind))
    const inputs = () => sent.filter((message) => message.kind === 'input')
    const pushes = () => inputs().at(-1)?.hold ?? false
    const lose = () => {
      there = false
      close()
    }
    return { page, sent, asked, inputs, pushes, lose, tell: (...all: object[]) => tell(...all) }
  }
  /** Another page is shown in the midst of a push, as when a demonstration is over. */
  const turnPage = async (page: Page) => {
    await page.evaluate(() => Object.assign(location, { hash: '#settings' }))
    await page.locator('main.settings').waitFor()
  }
  const turnAway = (page: Page) => page.evaluate(() => void document.dispatchEvent(new Event('visibilitychange')))

  it('takes over while the button for it is held, and no longer when it is gone from under the pointer', async () => {
    const { page, pushes } = await open(state({ robot: 'A' }))
    await page.getByRole('button', { name: 'Hold to take over' }).hover()
    await page.mouse.down()
    await expect.poll(pushes, { timeout: 10_000 }).toBe(true)
    await page.waitForTimeout(500)
    expect(pushes()).toBe(true)
    await turnPage(page)
    await expect.poll(pushes, { timeout: 10_000 }).toBe(false)
  })

  it('pushes as far as a finger is on its pad, though another comes and goes, and no longer when the pad is gone', async () => {
    const { page, inputs, pushes } = await open(state({ robot: 'A' }))
    await page.evaluate(() => Object.assign(location, { hash: '#devices' }))
    const field = page.locator('.pad-field').first()
    await field.waitFor()
    await field.evaluate((element) => {
      element.setPointerCapture = () => {} // these fingers are none that the browser knows
    })
    const finger = (pointerId: number, type: 'down' | 'move' | 'up', up: number) =>
      field.dispatchEvent(`pointer${type}`, { pointerId, clientX: 200, clientY: 600 - up, bubbles: true })
    const forward = () => inputs().at(-1)?.axes[0]
    await finger(1, 'down', 0)
    await finger(1, 'move', 80)
    await expect.poll(forward, { timeout: 10_000 }).toBe(1)
    await finger(2, 'down', 20)
    await finger(2, 'up', 20)
    await finger(1, 'move', 0)
    await expect.poll(forward, { timeout: 10_000 }).toBe(0)
    expect(pushes()).toBe(true)
    await finger(1, 'move', 80)
    await expect.poll(forward, { timeout: 10_000 }).toBe(1)
    await turnPage(page)
    await expect.poll(pushes, { timeout: 10_000 }).toBe(false)
  })

  it.each([
    ['the dial is gone from under the pointer', turnPage],
    ['the page is hidden', turnAway],
  ])('says a direction that is held on the dial no longer when %s', async (_, happen) => {
    const { page, asked } = await open(state({ robot: 'A' }))
    await page.getByRole('button', { name: 'move up', exact: true }).hover()
    await page.mouse.down()
    await expect.poll(() => asked().length, { timeout: 10_000 }).toBeGreaterThan(1)
    await happen(page)
    await expect.poll(() => asked().at(-1)?.kind, { timeout: 10_000 }).toBe('silence')
    const { length } = asked()
    await page.waitForTimeout(1500)
    expect(asked().length).toBe(length)
  })

  it('holds the arm still, then pauses, when the cable of a pad is pulled in a takeover: the policy does not drive off', async () => {
    const { page, sent, asked, pushes } = await openPrepared(
      (page) =>
        page.addInitScript(() => {
          const buttons = Array.from({ length: 17 }, () => ({ pressed: false, value: 0 }))
          const pad = { id: 'Pulled Pad', mapping: 'standard', index: 0, connected: true, axes: [0, 0, 0, 0], buttons }
          Object.assign(window, { pads: [pad] })
          const getGamepads = () => (window as unknown as { pads: unknown[] }).pads
          Object.defineProperty(navigator, 'getGamepads', { value: getGamepads })
        }),
      state({ robot: 'A' }),
    )
    await page.waitForTimeout(400)
    await page.evaluate(() => {
      const [pad] = (window as unknown as { pads: { buttons: object[] }[] }).pads
      pad!.buttons[5] = { pressed: true, value: 1 } // RB
    })
    await expect.poll(pushes, { timeout: 10_000 }).toBe(true)
    await page.evaluate(() => {
      Object.assign(window, { pads: [null] })
      window.dispatchEvent(Object.assign(new Event('gamepaddisconnected'), { gamepad: { index: 0 } }))
    })
    await expect.poll(asked, { timeout: 10_000 }).toEqual([{ kind: 'pause' }])
    const until = sent.slice(
      0,
      sent.findIndex(({ kind }) => kind === 'pause'),
    )
    expect(until.every((message) => message.kind !== 'input' || message.hold)).toBe(true)
    await page.locator('.notices', { hasText: 'Paused: Pulled Pad is gone' }).waitFor()
  })

  it('hears no push of a puck while it is hidden, as one for another program, but its stop', async () => {
    const { page, asked, pushes } = await openPrepared(
      (page) =>
        page.addInitScript(() => {
          const device = {
            ...{ vendorId: 0x256f, productId: 0xc633, productName: 'Enterprise', opened: true },
            ...{ collections: [{ usagePage: 1, usage: 8 }], oninputreport: (_: object) => {} },
          }
          const hid = Object.assign(new EventTarget(), { getDevices: async () => [device] })
          Object.defineProperty(navigator, 'hid', { value: hid })
          let bytes: number[] = []
          setInterval(() => {
            const [reportId, ...data] = bytes
            if (reportId) device.oninputreport({ reportId, data: new DataView(Uint8Array.from(data).buffer) })
          }, 16)
          Object.assign(window, { report: (...all: number[]) => (bytes = all) })
        }),
      state({ robot: 'A' }),
    )
    const report = (...bytes: number[]) =>
      page.evaluate(
        (bytes) => void (window as unknown as { report: (...all: number[]) => void }).report(...bytes),
        bytes,
      )
    const [rest, push] = [
      [1, ...Array(12).fill(0)],
      [1, 200, 0, ...Array(10).fill(0)],
    ]
    const hide = (hidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }, hidden)
    await hide(true)
    await report(...rest)
    await page.waitForTimeout(500)
    await report(...push)
    await page.waitForTimeout(1000)
    expect(pushes()).toBe(false)
    await report(3, 0, 0, 0x40, 0)
    await expect.poll(asked, { timeout: 10_000 }).toEqual([{ kind: 'stop' }])
    await report(...rest)
    await hide(false)
    await page.waitForTimeout(500)
    await report(...push)
    await expect.poll(pushes, { timeout: 10_000 }).toBe(true)
  })

  it('shows the robot that its pictures are of, not the one that it asked for and did not get', async () => {
    const { page, asked, tell } = await open(state({ robot: 'A' }))
    const list = page.locator('.flow select')
    await list.selectOption('B')
    await expect.poll(asked, { timeout: 10_000 }).toEqual([{ kind: 'focus', robot: 'B' }])
    tell({ kind: 'refused', what: 'focus', why: 'the hand is on the robot' })
    await page.locator('.notices', { hasText: 'the hand is on the robot' }).waitFor()
    expect(await list.inputValue()).toBe('A')
    await list.selectOption('B')
    tell(HELLO, { ...CONTROL, holder: { client: '1', name: 'Anna' } }, state({ robot: 'B' }))
    await expect.poll(() => list.inputValue(), { timeout: 10_000 }).toBe('B')
  })

  it('shows no picture of another robot as one of the robot that came into focus, which has none yet', async () => {
    const cameras = [{ name: 'front', width: 16, height: 16, calibration: null }]
    const seen = async (step: number, grey: number) => {
      const jpeg = await toJpeg({ width: 16, height: 16, data: new Uint8Array(16 * 16 * 3).fill(grey) })
      return encodeFrame({ camera: 0, flags: 0, step, time: Date.now(), jpeg })
    }
    const { page, tell } = await open({ ...HELLO, cameras }, state({ robot: 'A' }), await seen(1, 200))
    const grey = () =>
      page.locator('canvas.picture').evaluate((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement
        return (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(width / 2, height / 2, 1, 1).data[0]
      })
    const age = page.locator('.age')
    await expect.poll(grey, { timeout: 10_000 }).toBe(200)
    await expect.poll(() => age.innerText(), { timeout: 10_000 }).not.toBe('no picture yet')
    tell({ ...HELLO, cameras })
    await expect.poll(() => age.innerText(), { timeout: 10_000 }).toBe('no picture yet')
    expect(await grey()).toBe(0)
    tell(await seen(1, 100))
    await expect.poll(grey, { timeout: 10_000 }).toBe(100)
  })

  it('judges the robot that it shows by the key that says "ready" of a scene, where the scene is another one’s', async () => {
    const scene: SceneEvent = { kind: 'scene', waits: true, robot: 'B', task: 'pick', scene: 'a bolt', start: null }
    const { page, asked, tell } = await open(state({ robot: 'A' }), scene)
    await page.locator('.scene', { hasText: 'robot B stands at its start' }).waitFor()
    await page.waitForTimeout(1200) // a key that comes at once may have been meant for the episode before
    await page.keyboard.press('Enter')
    await expect.poll(asked, { timeout: 10_000 }).toEqual([{ kind: 'verdict', verdict: 'success' }])
    expect(await page.locator('button.verdict.success').isEnabled()).toBe(true)
    await page.getByRole('button', { name: 'Ready' }).click()
    await expect.poll(() => asked().at(-1), { timeout: 10_000 }).toEqual({ kind: 'ready', robot: 'B' })
    tell(state({ robot: 'A', step: 2 }), { ...scene, robot: 'A' })
    await page.locator('.scene', { hasText: 'robot A stands at its start' }).waitFor()
    await page.waitForTimeout(1200)
    await page.keyboard.press('Enter')
    await expect.poll(() => asked().at(-1), { timeout: 10_000 }).toEqual({ kind: 'ready', robot: 'A' })
  })

  it('says nothing of what was heard once the page was left, or its button is pressed again; a halt is still heard', async () => {
    const { page, asked } = await openPrepared(
      (page) =>
        page.addInitScript(() => {
          class Ear {
            onresult?: (event: unknown) => void
            constructor() {
              const hear = (transcript: string) =>
                this.onresult?.({ results: [{ isFinal: true, 0: { transcript, confidence: 0.9 } }] })
              Object.assign(window, { hear })
            }
            start() {}
            stop() {}
          }
          Object.assign(window, { SpeechRecognition: Ear, webkitSpeechRecognition: Ear })
        }),
      state({ robot: 'A' }),
    )
    const hear = (words: string) =>
      page.evaluate((words) => (window as unknown as { hear: (words: string) => void }).hear(words), words)
    await page.getByRole('button', { name: 'Hold to talk' }).hover()
    await page.mouse.down()
    await hear('move left')
    await page.mouse.up()
    await page.mouse.down() // it was not meant so
    await page.waitForTimeout(1000)
    await hear('move right')
    await turnAway(page)
    await hear('move up')
    await page.waitForTimeout(1000)
    expect(asked()).toEqual([])
    await hear('move up stop')
    await expect.poll(asked, { timeout: 10_000 }).toEqual([{ kind: 'stop' }])
  })

  it('says over a page that is scrolled, on a small screen, too, that the connection is lost', async () => {
    const { page, lose } = await open(state({ robot: 'A' }))
    await page.setViewportSize({ width: 860, height: 700 })
    await page.mouse.wheel(0, 500)
    await expect.poll(() => page.evaluate(() => scrollY), { timeout: 10_000 }).toBeGreaterThan(300)
    lose()
    const seen = () =>
      page.evaluate(() => {
        const banner = document.querySelector('.line-banner.lost')
        const { x, y, width, height } = banner?.getBoundingClientRect() ?? new DOMRect()
        return banner?.contains(document.elementFromPoint(x + width / 2, y + height / 2)) ?? false
      })
    await expect.poll(seen, { timeout: 10_000 }).toBe(true)
  })

  it('shows the robot before the trials of its evaluation, and who has control whole beside a long name, without a scroll to the side', async () => {
    const waiting = [{ client: '9', name: 'Maximilian von Habsburg-Lothringen' }]
    const trials = Array.from({ length: 20 }, () => ({ task: 'pick', start: null, outcome: null }))
    const { page } = await open(
      { ...CONTROL, holder: { client: '1', name: 'Anna' }, waiting },
      state({ robot: 'A', stage: 'evaluation' }),
      { kind: 'evaluation', stage: 'step 0', robot: 'A', over: false, trials },
    )
    const cut = () =>
      page.evaluate(() => [
        document.documentElement.scrollWidth > innerWidth,
        ...['.lease b', '.topbar nav'].map((name) => {
          const { scrollWidth, clientWidth } = document.querySelector(name)!
          return scrollWidth > clientWidth
        }),
      ])
    for (const width of [1440, 900, 390]) {
      await page.setViewportSize({ width, height: 800 })
      await expect.poll(cut, { timeout: 10_000, message: `${width} wide` }).toEqual([false, false, false])
    }
    await page.setViewportSize({ width: 860, height: 800 })
    await page.evaluate(() => Object.assign(location, { hash: '#evaluation' }))
    const top = (name: string) => page.locator(name).evaluate((element) => element.getBoundingClientRect().top)
    await page.locator('.trials').waitFor()
    expect(await top('.stage')).toBeLessThan(await top('[aria-label="Evaluation"]'))
    expect(await top('[aria-label="Evaluation"]')).toBeLessThan(await top('.trials'))
  })

  it('plays an episode as fast as its robot made it', async () => {
    const steps = Array.from({ length: 90 }, () => ({
      ...{ action: [0, 0, 0, 0, 0, 0, 0], motion: [0, 0, 0], actor: 'operator', command: null, label: null },
      ...{ reward: 0, terminated: false, truncated: false },
    }))
    const episode = { episode: 0, task: 'pick', ending: 'success', cameras: [], tcp: [], steps } as unknown
    const recording = { phase: 'review', task: 'pick', steps: 90, success: true, kept: {}, wanted: null }
    const { page } = await openPrepared(
      async (page) => {
        await page.clock.install()
        await page.route('**/api/recording', (route) => route.fulfill({ json: episode }))
      },
      { ...HELLO, controlRate: 20 },
      { kind: 'recording', ...recording },
    )
    await page.evaluate(() => Object.assign(location, { hash: '#record' }))
    await page.getByRole('button', { name: 'Play' }).waitFor()
    await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1000)
    await page.getByRole('button', { name: 'Play' }).click()
    await page.clock.runFor(2000)
    const step = Number(await page.getByRole('slider', { name: 'Step' }).inputValue())
    expect(step).toBeGreaterThan(36)
    expect(step).toBeLessThanOrEqual(40)
  })
})
