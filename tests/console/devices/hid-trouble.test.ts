/** @file Why a browser keeps a device from the page, and what a person can do about it. */
import { describe, expect, it } from 'vitest'
import { hidTrouble, missing } from '../../../src/console/devices/hid-trouble.ts'
import { type HidDevice, watchSpaceMice } from '../../../src/console/devices/webhid.ts'

const LINUX = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36'
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36'
const compact = { productName: 'SpaceMouse Compact', vendorId: 0x256f }
const thrown = (name: string, message: string) => new DOMException(message, name)
const closed = thrown('NotAllowedError', "Failed to execute 'open' on 'HIDDevice': Failed to open the device.")

describe('a SpaceMouse that does not open', () => {
  it('on Linux names the rule of udev that is missing, for the vendor’s own number, and how to install it', () => {
    const { words, lines } = hidTrouble(closed, compact, LINUX)
    expect(words).toMatch(/^SpaceMouse Compact cannot be opened: .*udev/)
    expect(lines!.join('\n')).toContain('KERNEL=="hidraw*", ATTRS{idVendor}=="256f", MODE="0660", TAG+="uaccess"')
    expect(lines!.join('\n')).toMatch(/\/etc\/udev\/rules\.d\/70-\S+\.rules[\s\S]*udevadm control --reload-rules/)
    const older = hidTrouble(closed, { productName: 'SpaceNavigator', vendorId: 0x046d }, LINUX)
    expect(older.lines!.join()).toContain('ATTRS{idVendor}=="046d"')
  })

  it('elsewhere names who may hold it', () => {
    const { words, lines } = hidTrouble(closed, compact, WINDOWS)
    expect(words).toMatch(/another program holds it.*3DxWare/)
    expect(lines).toBeUndefined()
    expect(hidTrouble(thrown('InUseAttributeError', 'busy'), compact, WINDOWS).words).toMatch(/another program/)
  })

  it.each([
    ['SecurityError', 'Must be handling a user gesture to show a permission request.', /click/],
    ['SecurityError', 'Access to the feature "hid" is disallowed by permissions policy.', /https.*localhost/],
    ['InvalidStateError', 'An operation that changes the device state is in progress.', /plug it in again/],
    ['NotFoundError', 'The device was removed.', /Plug it in again/],
    ['TypeError', 'odd', /odd/],
  ])('for %s: "%s" says what to do', (name, message, remedy) => {
    expect(hidTrouble(thrown(name, message), undefined, LINUX).words).toMatch(remedy)
  })

  it('is forgotten once it opens after all', async () => {
    let allowed = false
    const device: HidDevice = {
      vendorId: 0x256f,
      productId: 0xc635,
      productName: 'SpaceMouse Compact',
      opened: false,
      collections: [{ usagePage: 1, usage: 8 }],
      open: async () => {
        if (!allowed) throw closed
      },
      close: async () => {},
      oninputreport: null,
    }
    const told: unknown[] = []
    const opened: unknown[] = []
    const hid = { getDevices: async () => [device], requestDevice: async () => [device], addEventListener: () => {} }
    const { ask } = await watchSpaceMice(
      hid,
      (mouse) => opened.push(mouse),
      (error, of) => told.push([error, of.productId]),
    )
    allowed = true
    await ask()
    expect(told).toEqual([
      [closed, 0xc635],
      [null, 0xc635],
    ])
    expect(opened).toHaveLength(1)
  })
})

describe('what a browser lacks', () => {
  it.each([
    [{ secure: true, hid: true, gamepads: true }, []],
    [{ secure: false, hid: false, gamepads: false }, [/no SpaceMouse and no gamepad.*https.*localhost/]],
    [{ secure: false, hid: false, gamepads: true }, [/no SpaceMouse\. Open.*https.*localhost/]],
    [{ secure: true, hid: false, gamepads: true }, [/no WebHID/]],
    [{ secure: true, hid: true, gamepads: false }, [/gamepads/]],
  ])('%j', (page, words) => {
    expect(missing(page).map((trouble) => trouble.words)).toEqual(words.map((each) => expect.stringMatching(each)))
  })
})
