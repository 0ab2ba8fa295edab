/** @file The input devices of the console's page, and what turns them into actions. No Node in here. */
export * from './device.ts'
export { BASE, cameraFrame, type Frame, levelFrame, turned, type Vector, type View } from './frames.ts'
export { GamepadDevice, type GamepadState } from './gamepad.ts'
export {
  type GamepadLayout,
  layoutFrom,
  PAD_BUTTONS,
  PAD_WAYS,
  type PadControl,
  type Source,
  withSource,
} from './gamepad-layout.ts'
export { GamepadLearner, type LearnerPhase } from './gamepad-learner.ts'
export { Handover } from './handover.ts'
export { hidTrouble, missing, type Trouble } from './hid-trouble.ts'
export { KEYS, Keyboard, listenToKeys } from './keyboard.ts'
export { DEFAULT_MAPPING, type Mapping, map } from './mapping.ts'
export { type Field, Pad } from './pad.ts'
export { SpaceMouse } from './spacemouse.ts'
export { type Asked, DEFAULT_TAKEOVER, Takeover, type TakeoverSettings } from './takeover.ts'
export { type Hid, type HidDevice, SPACEMOUSE_FILTERS, watchSpaceMice } from './webhid.ts'
