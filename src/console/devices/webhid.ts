/** @file WebHID: which devices to ask for, and how a SpaceMouse hears the reports of one. Chrome, Edge and Opera have it. */
import { SpaceMouse } from './spacemouse.ts'
import { VENDOR_3DCONNEXION, VENDOR_LOGITECH } from './spacemouse-products.ts'

/** Page 1 (generic desktop), usage 8: multi-axis controller. */
const MULTI_AXIS = { usagePage: 1, usage: 8 }

/** For requestDevice: any 3Dconnexion device, so that new models work; of Logitech only those with six axes, no mice. */
export const SPACEMOUSE_FILTERS = [
  { vendorId: VENDOR_3DCONNEXION, ...MULTI_AXIS },
  { vendorId: VENDOR_LOGITECH, ...MULTI_AXIS },
]

/** The part of WebHID's HIDDevice that is used; TypeScript's DOM library has none. */
export type HidDevice = {
  readonly vendorId: number
  readonly productId: number
  readonly productName: string
  readonly opened: boolean
  readonly collections: readonly { usagePage?: number; usage?: number }[]
  open(): Promise<void>
  close(): Promise<void>
  oninputreport: ((event: { reportId: number; data: DataView }) => void) | null
}

export type Hid = {
  getDevices(): Promise<HidDevice[]>
  requestDevice(options: { filters: typeof SPACEMOUSE_FILTERS }): Promise<HidDevice[]>
  addEventListener(type: 'connect' | 'disconnect', listener: (event: { device: HidDevice }) => void): void
}

/** One receiver shows several interfaces; the one with the axes is the multi-axis controller. */
export const isSpaceMouse = ({ vendorId, collections }: HidDevice): boolean =>
  (vendorId === VENDOR_3DCONNEXION || vendorId === VENDOR_LOGITECH) &&
  collections.some(({ usagePage, usage }) => usagePage === MULTI_AXIS.usagePage && usage === MULTI_AXIS.usage)

/**
 * SpaceMice that this page may use without a click, now and when one is plugged in; `onOpen` hears of each new one. One that
 * is unplugged and plugged in again is the same to the page. `onError` hears what the browser throws where another program
 * holds a device or rights are missing, and null once that device opens after all, or is gone. Returns `ask`, to be called from a
 * click: the browser's dialogue. Rejects with what the browser throws where it shows no device at all.
 */
export async function watchSpaceMice(
  hid: Hid,
  onOpen: (mouse: SpaceMouse) => void,
  onError: (error: unknown | null, device: HidDevice) => void,
  now: () => number = () => performance.now(),
): Promise<{ ask: () => Promise<void> }> {
  const mice = new Map<HidDevice, SpaceMouse>()
  const closed = new Set<HidDevice>() // did not open
  const recovered = (device: HidDevice) => closed.delete(device) && onError(null, device)
  const open = async (device: HidDevice) => {
    if (!isSpaceMouse(device)) return
    const known = mice.get(device) ?? [...mice.values()].find((mouse) => mouse.awaits(device))
    const mouse = known ?? new SpaceMouse(device)
    try {
      if (!device.opened) await device.open()
    } catch (error) {
      closed.add(device)
      return onError(error, device)
    }
    recovered(device)
    device.oninputreport = ({ reportId, data }) => mouse.report(reportId, data, now())
    mouse.reconnect()
    for (const [other, owner] of mice) if (owner === mouse) mice.delete(other)
    mice.set(device, mouse)
    if (!known) onOpen(mouse)
  }
  hid.addEventListener('connect', ({ device }) => open(device))
  hid.addEventListener('disconnect', ({ device }) => {
    recovered(device)
    mice.get(device)?.disconnect()
  })
  for (const device of await hid.getDevices()) await open(device)
  return {
    ask: async () => {
      for (const device of await hid.requestDevice({ filters: SPACEMOUSE_FILTERS })) await open(device)
    },
  }
}
