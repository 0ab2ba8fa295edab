/** @file The 3Dconnexion devices that are known by number: their names, and which bit of report 3 is which button. */
import type { HandButton } from './device.ts'

type ButtonBit = {
  label: string // as printed on the device
  byte: number // 1 is the first data byte of report 3
  bit: number
  does?: HandButton
}

export type SpaceMouseProduct = { name: string; vendorId: number; productId: number; buttons: readonly ButtonBit[] }

/** Left closes, right opens, as HIL-SERL has it. */
const PAIR: readonly ButtonBit[] = [
  { label: 'left', byte: 1, bit: 0, does: 'close gripper' },
  { label: 'right', byte: 1, bit: 1, does: 'open gripper' },
]

/**
 * From the SpacePilot Pro on all larger pucks number their keys alike, and the small ones have the first two of them: so
 * this also serves whatever is behind a receiver, and models that are not in the list.
 */
const FAMILY: readonly ButtonBit[] = [
  { label: 'menu', byte: 1, bit: 0, does: 'close gripper' },
  { label: 'fit', byte: 1, bit: 1, does: 'open gripper' },
  { label: '1', byte: 2, bit: 4, does: 'success' },
  { label: '2', byte: 2, bit: 5, does: 'failure' },
  { label: '3', byte: 2, bit: 6, does: 'abort' },
  { label: '4', byte: 2, bit: 7, does: 'undo' },
  { label: 'Esc', byte: 3, bit: 6, does: 'stop' },
  { label: 'Shift', byte: 4, bit: 0, does: 'hand over' },
  { label: 'Ctrl', byte: 4, bit: 1, does: 'toggle' },
]

/** Numbered by itself: 1, 2, T, L, R, F, Esc, Alt, Shift, Ctrl, fit, panel, +, -, 2D. */
const EXPLORER: readonly ButtonBit[] = [
  { label: '1', byte: 1, bit: 0, does: 'close gripper' },
  { label: '2', byte: 1, bit: 1, does: 'open gripper' },
  { label: 'Esc', byte: 1, bit: 6, does: 'stop' },
  { label: 'Shift', byte: 2, bit: 0, does: 'hand over' },
  { label: 'Ctrl', byte: 2, bit: 1, does: 'toggle' },
]

/** Numbered by itself: 1 to 6, T, L, R, F, Esc, Alt, Shift, Ctrl, fit, panel, +, -, Dom, 3D lock, config. */
const PILOT: readonly ButtonBit[] = [
  { label: '1', byte: 1, bit: 0, does: 'success' },
  { label: '2', byte: 1, bit: 1, does: 'failure' },
  { label: '3', byte: 1, bit: 2, does: 'abort' },
  { label: '4', byte: 1, bit: 3, does: 'undo' },
  { label: 'Esc', byte: 2, bit: 2, does: 'stop' },
  { label: 'Shift', byte: 2, bit: 4, does: 'hand over' },
  { label: 'Ctrl', byte: 2, bit: 5, does: 'toggle' },
  { label: 'fit', byte: 2, bit: 6, does: 'open gripper' },
  { label: 'panel', byte: 2, bit: 7, does: 'close gripper' },
]

export const VENDOR_3DCONNEXION = 0x256f
export const VENDOR_LOGITECH = 0x046d

const older = (productId: number, name: string, buttons: readonly ButtonBit[]): SpaceMouseProduct => ({
  vendorId: VENDOR_LOGITECH,
  productId,
  name,
  buttons,
})
const newer = (productId: number, name: string, buttons: readonly ButtonBit[]): SpaceMouseProduct => ({
  vendorId: VENDOR_3DCONNEXION,
  productId,
  name,
  buttons,
})

export const PRODUCTS: readonly SpaceMouseProduct[] = [
  older(0xc625, 'SpacePilot', PILOT),
  older(0xc626, 'SpaceNavigator', PAIR),
  older(0xc627, 'SpaceExplorer', EXPLORER),
  older(0xc628, 'SpaceNavigator for Notebooks', PAIR),
  older(0xc629, 'SpacePilot Pro', FAMILY),
  older(0xc62b, 'SpaceMouse Pro', FAMILY),
  newer(0xc62e, 'SpaceMouse Wireless (cable)', PAIR),
  newer(0xc62f, 'SpaceMouse Wireless (receiver)', PAIR),
  newer(0xc631, 'SpaceMouse Pro Wireless (cable)', FAMILY),
  newer(0xc632, 'SpaceMouse Pro Wireless', FAMILY),
  newer(0xc633, 'SpaceMouse Enterprise', FAMILY),
  newer(0xc635, 'SpaceMouse Compact', PAIR),
  newer(0xc636, 'SpaceMouse module', []),
  newer(0xc638, 'SpaceMouse Pro Wireless BT', FAMILY),
  newer(0xc63a, 'SpaceMouse Wireless', PAIR),
  newer(0xc641, 'SpaceMouse module', []),
  newer(0xc652, 'Universal Receiver', FAMILY),
]

type Identity = { vendorId: number; productId: number; productName?: string }

/** A model that is not in the list goes under its own name. */
export const productOf = ({ vendorId, productId, productName }: Identity): SpaceMouseProduct =>
  PRODUCTS.find((product) => product.vendorId === vendorId && product.productId === productId) ?? {
    vendorId,
    productId,
    name: productName || '3Dconnexion device',
    buttons: FAMILY,
  }
