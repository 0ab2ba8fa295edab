/** @file Why the browser keeps a SpaceMouse or a gamepad from the page, in words, and what to do about it. */
import { VENDOR_3DCONNEXION } from './spacemouse-products.ts'

export type Trouble = {
  words: string
  lines?: readonly string[] // to be copied as they are: to a file, to a terminal
}

type Named = { productName: string; vendorId: number }

const SECURE = 'Open the page by https (start it with --tls), or on the machine of the run as http://localhost'

/**
 * What WebHID threw.
 *
 * @param device which could not be opened; undefined where the browser refused to show any
 * @param platform navigator.userAgent or the like: on Linux a rule is usually missing
 */
export function hidTrouble(error: unknown, device: Named | undefined, platform: string): Trouble {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) }
  const puck = device?.productName || 'The SpaceMouse'
  if (name === 'SecurityError' && /gesture|activation/i.test(message))
    return { words: 'The browser shows its list of SpaceMice only after a click: press "Connect a SpaceMouse"' }
  if (name === 'SecurityError')
    return { words: `The browser does not let this page use a SpaceMouse (${message}). ${SECURE}, and not in a frame` }
  if (name === 'InvalidStateError')
    return { words: `${puck} is being opened or closed right now. Unplug it, and plug it in again` }
  if (name === 'NotFoundError' || name === 'NetworkError')
    return { words: `${puck} has gone, or does not answer. Plug it in again` }
  const opening = name === 'NotAllowedError' || /failed to open/i.test(message)
  if (opening && /linux/i.test(platform) && !/android/i.test(platform)) return withoutRule(puck, device?.vendorId)
  if (opening || /InUse|NotReadable/.test(name))
    return {
      words: `${puck} cannot be opened: another program holds it, or the browser may not use it. Close 3DxWare or spacenavd and other pages that use it, then connect it again`,
    }
  return { words: `${puck} could not be opened: ${message}. Plug it in again, or use another browser` }
}

/** Linux gives a device to root alone until a rule of udev says that who sits at the machine may use it. */
function withoutRule(puck: string, vendorId = VENDOR_3DCONNEXION): Trouble {
  const vendor = vendorId.toString(16).padStart(4, '0')
  const rule = `KERNEL=="hidraw*", ATTRS{idVendor}=="${vendor}", MODE="0660", TAG+="uaccess"`
  return {
    words: `${puck} cannot be opened: on Linux a rule of udev must allow it. Run these two lines in a terminal, plug it in again, and connect it. If it stays so, another program holds it: stop spacenavd`,
    lines: [
      `echo '${rule}' | sudo tee /etc/udev/rules.d/70-spacemouse.rules`,
      'sudo udevadm control --reload-rules && sudo udevadm trigger',
    ],
  }
}

/** What the browser lacks, before anything is plugged in. */
export function missing(page: { secure: boolean; hid: boolean; gamepads: boolean }): Trouble[] {
  const { secure, hid, gamepads } = page
  const [none, some] = [!hid && !gamepads, !hid || !gamepads]
  if (!secure && some)
    return [
      {
        words: `This page came by http from another machine, so the browser gives it no ${none ? 'SpaceMouse and no gamepad' : hid ? 'gamepad' : 'SpaceMouse'}. ${SECURE}`,
      },
    ]
  return [
    ...(hid
      ? []
      : [{ words: 'This browser has no WebHID, which a SpaceMouse needs. Chrome and Edge on a computer have it' }]),
    ...(gamepads
      ? []
      : [
          {
            words: 'This browser does not let the page see gamepads. Allow them for this page, or use another browser',
          },
        ]),
  ]
}
