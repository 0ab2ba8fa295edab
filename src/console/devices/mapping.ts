/** @file From how a device is pushed to what the robot is asked: dead zone, curve, locks, scale, frame, bounds. Pure. */
import { AXIS_NAMES, type Axes, type AxisName, axesOf } from './device.ts'
import { BASE, type BaseAxes, inBase } from './frames.ts'

export type Mapping = {
  deadZone: number // in [0, 1): deflections up to here are rest, the remaining way is stretched over the whole range
  shape: 'each axis' | 'radial' // radial: the dead zone is a ball, over translation and over rotation; directions stay true
  exponent: number // 1 is linear; 1.5 to 2 makes small pushes finer
  scale: { translation: number; rotation: number } // in [0, 1]: of the robot's full step
  locked: readonly AxisName[] // of the person's frame; these do not move
  dominant: boolean // only the axis that is pushed most
  frame: BaseAxes // of the person or the camera, see frames.ts
}

export const DEFAULT_MAPPING: Mapping = {
  deadZone: 0.04,
  shape: 'each axis',
  exponent: 1,
  scale: { translation: 1, rotation: 1 },
  locked: [],
  dominant: false,
  frame: BASE,
}

/** [6] of an action in [-1, 1], base frame. A diagonal that a frame or scale carries out of range is shortened, not bent. */
export function map(axes: Axes, mapping: Mapping): Axes {
  const { deadZone, shape, exponent, scale, locked, dominant, frame } = mapping
  const alive = shape === 'radial' ? radial(axes, deadZone, exponent) : axes.map((v) => curve(v, deadZone, exponent))
  const free = alive.map((value, i) => (locked.includes(AXIS_NAMES[i]!) ? 0 : value))
  const chosen = dominant ? onlyLargest(free) : free
  const scaled = chosen.map((value, i) => value * (i < 3 ? scale.translation : scale.rotation))
  const turned = inBase(axesOf(scaled), frame)
  return axesOf([...shortened(turned.slice(0, 3)), ...shortened(turned.slice(3))])
}

/** 0 up to the dead zone, then continuous to ±1. */
function curve(value: number, deadZone: number, exponent: number): number {
  const beyond = Math.max(0, Math.abs(value) - deadZone) / (1 - deadZone)
  return beyond === 0 ? 0 : Math.sign(value) * beyond ** exponent
}

function radial(axes: Axes, deadZone: number, exponent: number): number[] {
  return [axes.slice(0, 3), axes.slice(3)].flatMap((part) => {
    const length = Math.hypot(...part)
    const wanted = curve(Math.min(1, length), deadZone, exponent)
    return part.map((value) => (length > 0 ? (value / length) * wanted : 0))
  })
}

function onlyLargest(values: readonly number[]): number[] {
  const most = values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best]!) ? i : best), 0)
  return values.map((value, i) => (i === most ? value : 0))
}

function shortened(part: readonly number[]): number[] {
  const most = Math.max(1, ...part.map(Math.abs))
  return part.map((value) => value / most + 0)
}

/**
 * The way of a position-like device from where the hold began: whatever it pointed at then means standing still.
 * Differences are clamped to the range.
 */
export const fromZero = (axes: Axes, zero: Axes): Axes => axesOf(axes.map((value, i) => value - zero[i]!))
