/** @file The person's hand: all input devices together, read 60 times a second; what the one in use asks goes to the robot. */
import {
  type Asked,
  type Axes,
  type Button,
  type DeviceFault,
  GamepadDevice,
  type Hid,
  type HidDevice,
  hidTrouble,
  type InputDevice,
  Keyboard,
  listenToKeys,
  missing,
  Pad,
  REST,
  Takeover,
  type Trouble,
  watchSpaceMice,
} from '../../devices/index.ts'
import { TIMES } from '../../protocol.ts'
import type { Connection } from '../link/connection.ts'
import { inControl, operated, sceneInFocus } from '../link/model.ts'
import { whenLeft } from '../parts/leaving.ts'
import { Store } from '../parts/store.ts'
import { GamepadLayouts } from './gamepad-layouts.ts'
import { type HandSettings, handFrame, keepSettings, loadSettings, mappingOf } from './settings.ts'

const READ_EVERY = 16 // ms
const SHOW_EVERY = 66 // ms
const SCENE_SEEN = 1000 // ms that a scene is asked for before a key answers
const DEAD_FOR = 3000 // ms that a device which died in the hand holds the arm still, before the run waits for a person

export type DeviceView = {
  name: string
  raw: Axes
  asked: Axes
  engaged: boolean
  fault: DeviceFault | null
  held: readonly Button[]
  unknown: string | null // id of a pad whose layout the browser does not know: it can be mapped
}

export type HandView = {
  active: string | null
  engaged: boolean
  devices: readonly DeviceView[]
  mayAsk: boolean // the browser can be asked for a SpaceMouse
  troubles: readonly Trouble[] // why the browser keeps devices from the page
}

type Gripper = 'open' | 'close'
const GRIP = { open: -1, close: 1, none: 0 } as const

export class DeviceHand {
  readonly keyboard = new Keyboard()
  readonly pad = new Pad()
  readonly view = new Store<HandView>({ active: null, engaged: false, devices: [], mayAsk: false, troubles: [] })
  readonly settings = new Store<HandSettings>(loadSettings(localStorage))
  readonly layouts = new GamepadLayouts(localStorage)
  private askHid: (() => Promise<void>) | null = null
  private readonly takeovers: Takeover[] = []
  private readonly gamepads = new Map<number, Takeover>()
  private readonly troubles = new Map<HidDevice | null, Trouble>() // null: with all of them
  private readonly lacks: readonly Trouble[]
  private deadSince: number | null = null // the device in use
  private active: Takeover | null = null
  private sequence = 0
  private sentAt = 0
  private shownAt = 0
  private holding = false
  private askedForControl = false
  private gripper: Gripper | undefined

  constructor(private readonly connection: Connection) {
    this.add(this.keyboard)
    this.add(this.pad)
    listenToKeys(this.keyboard, window, () => operated(connection.model.get()))
    this.settings.subscribe(() => keepSettings(localStorage, this.settings.get()))
    whenLeft(() => this.letGo())
    window.addEventListener('gamepadconnected', ({ gamepad: { index } }) => this.addGamepad(index))
    const gamepads = gamepadsOf(navigator)
    this.lacks = missing({ secure: isSecureContext, hid: 'hid' in navigator, gamepads: gamepads !== null })
    for (const gamepad of gamepads ?? []) if (gamepad) this.addGamepad(gamepad.index)
    void this.watchHid()
    setInterval(() => this.tick(performance.now()), READ_EVERY)
  }

  /** Whatever is held is let go: the page lost the focus, or the person wants out. */
  letGo(): void {
    for (const takeover of this.takeovers) takeover.letGo()
    this.tick(performance.now())
  }

  /** Opens the browser's list of SpaceMice, where it has one. To be called from a click. */
  async askForSpaceMouse(): Promise<void> {
    this.troubles.delete(null)
    await this.askHid?.().catch((error: unknown) => this.troubles.set(null, hidTrouble(error, undefined, platform())))
  }

  change(part: Partial<HandSettings>): void {
    this.settings.update((settings) => ({ ...settings, ...part }))
  }

  private add(device: InputDevice): Takeover {
    const takeover = new Takeover(device)
    this.takeovers.push(takeover)
    return takeover
  }

  private addGamepad(index: number): void {
    if (this.gamepads.has(index)) return
    const poll = () => gamepadsOf(navigator)?.[index] ?? null
    this.gamepads.set(index, this.add(new GamepadDevice(poll, (id) => this.layouts.of(id))))
  }

  private async watchHid(): Promise<void> {
    const { hid } = navigator as Navigator & { hid?: Hid }
    if (!hid) return
    try {
      const { ask } = await watchSpaceMice(
        hid,
        (mouse) => this.add(mouse),
        (error, device) => {
          if (error === null) this.troubles.delete(device)
          else this.troubles.set(device, hidTrouble(error, device, platform()))
        },
      )
      this.askHid = ask
    } catch (error) {
      this.troubles.set(null, hidTrouble(error, undefined, platform()))
    }
  }

  private tick(time: number): void {
    const model = this.connection.model.get()
    const settings = this.settings.get()
    const frame = handFrame(settings.frame, model.hello?.cameras ?? [], model.state?.tcp ?? null)
    const grip = model.state?.grip
    if (grip) this.gripper = grip > 0 ? 'close' : 'open'
    for (const { device } of this.gamepads.values()) this.mapWith(device, time)
    const asked = this.takeovers.map((takeover) => {
      takeover.mapping = mappingOf(settings, takeover.device, frame)
      takeover.settings = { ...takeover.settings, touch: settings.touch }
      return takeover.update(time, this.gripper)
    })
    const seen = !document.hidden // a puck goes on telling how it is pushed, as for another program
    for (const { reading } of asked)
      for (const button of reading.buttons.pressed) if (seen || button === 'stop') this.press(button)
    this.choose(asked)
    const now = seen ? this.active && asked[this.takeovers.indexOf(this.active)] : null
    this.send(now?.engaged ? now : null, time)
    if (now?.engaged && now.fault) this.bury(now.fault, time)
    else this.deadSince = null
    this.show(asked, time)
  }

  /** A device that died in the hand must not hold the arm for ever, nor leave it to the policy: the run waits for a person. */
  private bury({ words }: DeviceFault, time: number): void {
    this.deadSince ??= time
    if (time - this.deadSince < DEAD_FOR) return
    this.deadSince = null
    this.active?.letGo()
    if (!inControl(this.connection.model.get())) return
    this.connection.ask({ kind: 'pause' })
    this.connection.tell(`Paused: ${words}`)
  }

  private mapWith(device: InputDevice, time: number): void {
    const pad = device instanceof GamepadDevice ? device.unknown : null
    if (pad) this.layouts.look(pad, time)
  }

  /** The device in use stays in use until it lets go, or dies and another one takes over; then the first that takes over. */
  private choose(asked: readonly Asked[]): void {
    const of = (takeover: Takeover | null) => (takeover ? asked[this.takeovers.indexOf(takeover)] : undefined)
    const now = of(this.active)
    if (now?.engaged && !now.fault) return
    const alive = this.takeovers.find((takeover) => of(takeover)?.engaged && !of(takeover)?.fault)
    if (alive && now?.engaged) this.active?.letGo() // or the dead one would hold the robot again after this
    if (alive || !now?.engaged) this.active = alive ?? this.takeovers.find((one) => of(one)?.engaged) ?? this.active
  }

  private send(asked: Asked | null, time: number): void {
    if (!asked) {
      this.askedForControl = false
      if (!this.holding) return
      this.holding = false
      this.connection.send({ kind: 'input', seq: ++this.sequence, t: time, axes: REST, gripper: 0, hold: false })
      return
    }
    if (!inControl(this.connection.model.get())) {
      this.requestOnce()
      return
    }
    const grips = asked.gripper !== 'none' // a short press must not fall between two messages
    if (this.holding && time - this.sentAt < TIMES.inputEvery - READ_EVERY / 2 && !grips) return
    this.holding = true
    this.sentAt = time
    const { axes, gripper, reading } = asked
    if (gripper !== 'none') this.gripper = gripper
    this.connection.send({
      kind: 'input',
      seq: ++this.sequence,
      t: reading.time,
      axes,
      gripper: GRIP[gripper],
      hold: true,
    })
  }

  /** A hand on a device asks for control, once a push: it comes at once where nobody has it. */
  private requestOnce(): void {
    this.holding = false
    if (this.askedForControl) return
    this.askedForControl = true
    this.connection.ask({ kind: 'control', action: 'request' })
  }

  private press(button: Button): void {
    const scene = sceneInFocus(this.connection.model.get())
    if (button === 'stop') this.connection.ask({ kind: 'stop' })
    else if (button === 'undo') this.connection.operate({ kind: 'undo' })
    else if (button === 'success' && scene) this.sayReady(scene.robot)
    else if (button === 'success' || button === 'failure' || button === 'abort')
      this.connection.operate({ kind: 'verdict', verdict: button })
  }

  /** The key that says "success" of an episode says "ready" of a scene; one that was meant for the episode before does not. */
  private sayReady(robot: string): void {
    const { sceneAt } = this.connection.model.get()
    if (performance.now() - sceneAt > SCENE_SEEN) this.connection.operate({ kind: 'ready', robot })
  }

  private show(asked: readonly Asked[], time: number): void {
    if (time - this.shownAt < SHOW_EVERY) return
    this.shownAt = time
    const devices = this.takeovers.map((takeover, i): DeviceView => {
      const { raw, axes, engaged, fault, reading } = asked[i]!
      const { device } = takeover
      const unknown = device instanceof GamepadDevice ? (device.unknown?.id ?? null) : null
      return { name: device.name, raw, asked: axes, engaged, fault, held: reading.buttons.held, unknown }
    })
    const active = this.active?.device.name ?? null
    const previous = this.view.get()
    const mayAsk = this.askHid !== null
    const troubles = [...this.lacks, ...this.troubles.values()]
    const next = { active, engaged: devices.some(({ engaged }) => engaged), devices, mayAsk, troubles }
    if (JSON.stringify(previous) !== JSON.stringify(next)) this.view.set(next)
  }
}

/** null where the browser has none for this page, or forbids them. */
function gamepadsOf({ getGamepads }: Navigator): (Gamepad | null)[] | null {
  try {
    return getGamepads ? getGamepads.call(navigator) : null
  } catch {
    return null
  }
}

const platform = () => navigator.userAgent
