/** @file The 3Dconnexion devices that are known by number: their names, and which bit of report 3 is which button. */
import type { Button } from './device.ts'

/** What a button of a SpaceMouse does: a meaning shared by all devices, or the gripper. */
export type PuckButton = Button | 'close gripper' | 'open gripper'

type ButtonBit = {
  label: string // as printed on the device
  byte: number // 1 is the first data byte of report 3
  bit: number
  does?: PuckButton
}

export type SpaceMouseProduct = { name: string; vendorId: number; productId: number; buttons: readonly ButtonBit[] }

/** Left closes, right opens, as HIL-SERL has it. Also what a model that is not in the list gets. */
const PAIR: readonly ButtonBit[] = [
  { label: 'left', byte: 1, bit: 0, does: 'close gripper' },
  { label: 'right', byte: 1, bit: 1, does: 'open gripper' },
]

const PRO: readonly ButtonBit[] = [
  { label: 'menu', byte: 1, bit: 0, does: 'close gripper' },
  { label: 'fit', byte: 1, bit: 1, does: 'open gripper' },
  { label: 'top', byte: 1, bit: 2 },
  { label: '1', byte: 2, bit: 4, does: 'success' },
  { label: '2', byte: 2, bit: 5, does: 'failure' },
  { label: '3', byte: 2, bit: 6, does: 'abort' },
  { label: '4', byte: 2, bit: 7, does: 'undo' },
  { label: 'Esc', byte: 3, bit: 6, does: 'stop' },
  { label: 'Alt', byte: 3, bit: 7 },
  { label: 'Shift', byte: 4, bit: 0, does: 'hand over' },
  { label: 'Ctrl', byte: 4, bit: 1, does: 'toggle' },
  { label: 'lock', byte: 4, bit: 2 },
]

const EXPLORER: readonly ButtonBit[] = [
  { label: '1', byte: 1, bit: 0, does: 'close gripper' },
  { label: '2', byte: 1, bit: 1, does: 'open gripper' },
  { label: 'Esc', byte: 1, bit: 6, does: 'stop' },
  { label: 'Alt', byte: 1, bit: 7 },
  { label: 'Shift', byte: 2, bit: 0, does: 'hand over' },
  { label: 'Ctrl', byte: 2, bit: 1, does: 'toggle' },
]

const PILOT_PRO: readonly ButtonBit[] = [
  { label: 'menu', byte: 1, bit: 0, does: 'close gripper' },
  { label: 'fit', byte: 1, bit: 1, does: 'open gripper' },
  { label: 'Esc', byte: 3, bit: 6, does: 'stop' },
]

const ENTERPRISE: readonly ButtonBit[] = [
  { label: 'menu', byte: 1, bit: 0, does: 'close gripper' },
  { label: 'fit', byte: 1, bit: 1, does: 'open gripper' },
  { label: '1', byte: 2, bit: 4, does: 'success' },
  { label: '2', byte: 2, bit: 5, does: 'failure' },
  { label: '3', byte: 2, bit: 6, does: 'abort' },
  { label: '4', byte: 2, bit: 7, does: 'undo' },
  { label: 'Esc', byte: 3, bit: 6, does: 'stop' },
  { label: 'Shift', byte: 4, bit: 0, does: 'hand over' },
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
  older(0xc625, 'SpacePilot', []),
  older(0xc626, 'SpaceNavigator', PAIR),
  older(0xc627, 'SpaceExplorer', EXPLORER),
  older(0xc629, 'SpacePilot Pro', PILOT_PRO),
  older(0xc62b, 'SpaceMouse Pro', PRO),
  newer(0xc62e, 'SpaceMouse Wireless (cable)', PAIR),
  newer(0xc631, 'SpaceMouse Pro Wireless (cable)', PRO),
  newer(0xc632, 'SpaceMouse Pro Wireless', PRO),
  newer(0xc633, 'SpaceMouse Enterprise', ENTERPRISE),
  newer(0xc635, 'SpaceMouse Compact', PAIR),
  newer(0xc638, 'SpaceMouse Pro Wireless BT', PRO),
  newer(0xc63a, 'SpaceMouse Wireless', PAIR),
  newer(0xc641, 'SpaceMouse module', []),
  newer(0xc652, 'Universal Receiver', PAIR),
]

type Identity = { vendorId: number; productId: number; productName?: string }

/** A model that is not in the list is taken for one with two buttons, under its own name. */
export const productOf = ({ vendorId, productId, productName }: Identity): SpaceMouseProduct =>
  PRODUCTS.find((product) => product.vendorId === vendorId && product.productId === productId) ?? {
    vendorId,
    productId,
    name: productName || '3Dconnexion device',
    buttons: PAIR,
  }
