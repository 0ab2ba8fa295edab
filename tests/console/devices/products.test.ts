/** @file Which key of which puck does what: the numbers are those that people with the devices have reported. */
import { describe, expect, it } from 'vitest'
import { SpaceMouse } from '../../../src/console/devices/spacemouse.ts'
import { type HidDevice, watchSpaceMice } from '../../../src/console/devices/webhid.ts'

/** Presses one key; bit numbers count from the lowest bit of the first byte of report 3. */
function press(vendorId: number, productId: number, number: number, bytes = 6): string[] {
  const mouse = new SpaceMouse({ vendorId, productId, productName: 'SpaceMouse' })
  const data = new DataView(new ArrayBuffer(bytes))
  data.setUint8(number >> 3, 1 << (number & 7))
  mouse.report(3, data, 0)
  const { gripper, buttons } = mouse.read(1)
  return [...buttons.pressed, ...(gripper === 'none' ? [] : [gripper])]
}

/** spnavcfg's issues 63 (Pro Wireless) and 69 (Enterprise). */
const FAMILY = { menu: 0, fit: 1, 1: 12, 2: 13, 3: 14, 4: 15, esc: 22, shift: 24, ctrl: 25 }
const DOES = {
  menu: 'close',
  fit: 'open',
  1: 'success',
  2: 'failure',
  3: 'abort',
  4: 'undo',
  esc: 'stop',
  shift: 'hand over',
  ctrl: 'toggle',
}
const KEYS = Object.keys(FAMILY) as unknown as (keyof typeof FAMILY)[]

describe('the keys', () => {
  it.each([
    ['SpacePilot Pro', 0x046d, 0xc629],
    ['SpaceMouse Pro', 0x046d, 0xc62b],
    ['SpaceMouse Pro Wireless by cable', 0x256f, 0xc631],
    ['SpaceMouse Pro Wireless by its receiver', 0x256f, 0xc632],
    ['SpaceMouse Pro Wireless BT', 0x256f, 0xc638],
    ['SpaceMouse Enterprise', 0x256f, 0xc633],
    ['device behind a Universal Receiver', 0x256f, 0xc652],
    ['model that came later', 0x256f, 0xc6ff],
  ])('of the %s', (_, vendorId, productId) => {
    for (const key of KEYS) expect([key, press(vendorId, productId, FAMILY[key])]).toEqual([key, [DOES[key]]])
    for (const other of [2, 4, 5, 8, 10, 23, 26]) expect(press(vendorId, productId, other)).toEqual([]) // views, Alt, lock
  })

  it('of the SpaceExplorer and the SpacePilot, which have numbers of their own', () => {
    const explorer = { 0: ['close'], 1: ['open'], 6: ['stop'], 8: ['hand over'], 9: ['toggle'], 7: [], 12: [], 14: [] }
    for (const [number, does] of Object.entries(explorer)) expect(press(0x046d, 0xc627, Number(number))).toEqual(does)
    const pilot = {
      0: ['success'],
      1: ['failure'],
      2: ['abort'],
      3: ['undo'],
      10: ['stop'],
      12: ['hand over'],
      13: ['toggle'],
    }
    for (const [number, does] of Object.entries({ ...pilot, 14: ['open'], 15: ['close'], 11: [], 20: [] }))
      expect(press(0x046d, 0xc625, Number(number))).toEqual(does)
  })

  it.each([0xc62e, 0xc62f, 0xc635, 0xc63a])(
    'of a puck with two (256f, %i) squeeze, in reports of any length',
    (product) => {
      for (const bytes of [1, 2, 6]) {
        expect(press(0x256f, product, 0, bytes)).toEqual(['close'])
        expect(press(0x256f, product, 1, bytes)).toEqual(['open'])
      }
      for (const number of Object.values(FAMILY).filter((one) => one > 1))
        expect(press(0x256f, product, number)).toEqual([])
    },
  )

  it('stop through the receiver as the page hears them', async () => {
    const device: HidDevice = {
      vendorId: 0x256f,
      productId: 0xc652,
      productName: 'Universal Receiver',
      opened: false,
      collections: [{ usagePage: 1, usage: 8 }],
      open: async () => {},
      close: async () => {},
      oninputreport: null,
    }
    const mice: SpaceMouse[] = []
    const hid = { getDevices: async () => [device], requestDevice: async () => [], addEventListener: () => {} }
    await watchSpaceMice(hid, (mouse) => mice.push(mouse), console.error)
    device.oninputreport!({ reportId: 3, data: new DataView(Uint8Array.of(0, 0, 0x40, 0).buffer) })
    expect(mice[0]!.read(0).buttons.pressed).toEqual(['stop'])
  })
})
