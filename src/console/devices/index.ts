/** @file The input devices of the console's page, and what turns them into actions. No Node in here. */
export * from './device.ts'
export { BASE, type BaseAxes, levelFrame } from './frames.ts'
export { GamepadDevice, type GamepadState } from './gamepad.ts'
export {
  type ControlSource,
  type GamepadLayout,
  layoutFrom,
  PAD_BUTTONS,
  PAD_WAYS,
  type PadControl,
  withSource,
} from './gamepad-layout.ts'
export { GamepadLearner, type LearnerPhase } from './gamepad-learner.ts'
export { hidTrouble, missing, type Trouble } from './hid-trouble.ts'
export { KEYS, Keyboard, listenToKeys } from './keyboard.ts'
export { DEFAULT_MAPPING, type Mapping } from './mapping.ts'
export { type Field, Pad } from './pad.ts'
export { type Asked, Takeover } from './takeover.ts'
export { type Hid, type HidDevice, watchSpaceMice } from './webhid.ts'
