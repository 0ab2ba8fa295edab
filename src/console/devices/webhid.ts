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

/** Opens the device and listens. @throws what the browser throws if another program holds the device or rights are missing */
export async function openSpaceMouse(device: HidDevice, now: () => number = () => performance.now()) {
  const mouse = new SpaceMouse(device)
  if (!device.opened) await device.open()
  device.oninputreport = ({ reportId, data }) => mouse.report(reportId, data, now())
  return mouse
}

/**
 * SpaceMice that this page may use without a click, now and when one is plugged in; `onOpen` hears of each. Returns
 * `ask`, to be called from a click: the browser's dialogue.
 */
export async function watchSpaceMice(
  hid: Hid,
  onOpen: (mouse: SpaceMouse) => void,
  onError: (error: unknown) => void,
): Promise<{ ask: () => Promise<void> }> {
  const mice = new Map<HidDevice, SpaceMouse>()
  const open = async (device: HidDevice) => {
    if (!isSpaceMouse(device)) return
    try {
      const mouse = await openSpaceMouse(device)
      mice.set(device, mouse)
      onOpen(mouse)
    } catch (error) {
      onError(error)
    }
  }
  hid.addEventListener('connect', ({ device }) => open(device))
  hid.addEventListener('disconnect', ({ device }) => mice.get(device)?.disconnect())
  for (const device of await hid.getDevices()) await open(device)
  return {
    ask: async () => {
      for (const device of await hid.requestDevice({ filters: SPACEMOUSE_FILTERS }))
        if (!mice.has(device)) await open(device)
    },
  }
}
