/** @file How the hand's pushes become motion, as the person sets it: kept by the browser, and turned into a device's mapping. */

import {
  type AxisName,
  BASE,
  type BaseAxes,
  DEFAULT_MAPPING,
  type InputDevice,
  levelFrame,
  type Mapping,
} from '../../devices/index.ts'
import type { CameraInfo } from '../../protocol.ts'
import { isPlaced, type ViewPose, viewOf } from '../view/projection.ts'

export type HandSettings = {
  touch: boolean // pushing a device takes over; otherwise a button must be held or toggled
  deadZone: number | null // at least that of each device; null: each device's own
  translation: number // scale in [0, 1]
  rotation: number
  exponent: number
  dominant: boolean
  locked: AxisName[]
  frame: string // 'base', or the name of the camera whose forward counts
}

export const DEFAULT_SETTINGS: HandSettings = {
  touch: true,
  deadZone: null,
  translation: 1,
  rotation: 1,
  exponent: 1,
  dominant: false,
  locked: [],
  frame: 'base',
}

const KEY = 'hand'

/** What was kept; whatever does not fit is as by default. */
export function loadSettings(storage: Pick<Storage, 'getItem'>): HandSettings {
  try {
    const kept: unknown = JSON.parse(storage.getItem(KEY) ?? '{}')
    const fits = Object.entries(kept as object).filter(([key, value]) => {
      const wanted = DEFAULT_SETTINGS[key as keyof HandSettings]
      return key === 'deadZone' ? value === null || typeof value === 'number' : typeof value === typeof wanted
    })
    return { ...DEFAULT_SETTINGS, ...Object.fromEntries(fits) }
  } catch {
    return DEFAULT_SETTINGS
  }
}

export const keepSettings = (storage: Pick<Storage, 'setItem'>, settings: HandSettings) =>
  storage.setItem(KEY, JSON.stringify(settings))

/** The camera whose forward counts; none where it is the robot's, as it also is while nobody knows where the chosen one is. */
export const frameCamera = (name: string, cameras: readonly CameraInfo[], tool: boolean): CameraInfo | undefined =>
  cameras.find((camera) => camera.name === name && isPlaced(camera, tool))

/** Whose forward counts: the robot's, or that of a camera, level with the table. */
export function handFrame(name: string, cameras: readonly CameraInfo[], tcp: ViewPose | null): BaseAxes {
  const camera = frameCamera(name, cameras, tcp !== null)
  const view = camera && viewOf(camera, tcp)
  if (!view) return BASE
  const [x, y, z] = view.back
  return levelFrame({ direction: [-x, -y, -z], up: view.up })
}

export const mappingOf = (settings: HandSettings, device: Pick<InputDevice, 'deadZone'>, frame: BaseAxes): Mapping => ({
  ...DEFAULT_MAPPING,
  deadZone: Math.max(settings.deadZone ?? 0, device.deadZone), // a stick never has a puck's
  exponent: settings.exponent,
  scale: { translation: settings.translation, rotation: settings.rotation },
  locked: settings.locked,
  dominant: settings.dominant,
  frame,
})
