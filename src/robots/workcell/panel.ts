/**
 * @file A panel that stands on the table before the front camera and hides what is done there: fixtures, bolts and hand.
 * The arm's upper links are seen over it, so that the picture changes with every motion: the camera is hidden, not blind.
 */
import type { FrontCamera } from './options.ts'
import { fromRotationVector } from './spatial.ts'
import type { Pose, Vec3 } from './truth.ts'

const AHEAD = 0.25 // metres before the camera, level
const BEHIND = 2 // metres
const HIDDEN_BELOW = 0.2 // metres over the table, where the camera looks to: lower things are hidden
const THIN = 0.003 // metres, half
const WIDE = 0.18 // metres, half: wider than the picture

/** Half sizes (metres), where it stands, and where it is kept: behind the camera, where nobody sees it or its shadow. */
export function panelOf({ position, target }: FrontCamera): { half: Vec3; before: Pose; away: Pose } {
  const [x, y] = [target[0] - position[0], target[1] - position[1]]
  const far = Math.hypot(x, y)
  const top = position[2] + ((HIDDEN_BELOW - position[2]) * AHEAD) / far
  const rotation = fromRotationVector([0, 0, Math.atan2(y, x)])
  const at = (ahead: number): Pose => ({
    position: [position[0] + (x * ahead) / far, position[1] + (y * ahead) / far, top / 2],
    rotation,
  })
  return { half: [THIN, WIDE, top / 2], before: at(AHEAD), away: at(-BEHIND) }
}
