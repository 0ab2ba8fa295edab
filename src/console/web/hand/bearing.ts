/** @file How far the dial is turned so that its directions point as they do in a camera's picture. */
import { levelFrame } from '../../devices/index.ts'
import type { CameraInfo } from '../../protocol.ts'
import { type ViewPose, viewOf } from '../view/projection.ts'

/**
 * Degrees clockwise at which the robot's forward stands, seen from above by somebody who looks as the camera does: 0 where
 * both look the same way, 180 face to face. Whole quarters, so that the dial does not tremble with a moving camera.
 */
export function inBearing(camera: CameraInfo | undefined, tcp: ViewPose | null): number {
  const view = camera && viewOf(camera, tcp)
  if (!view) return 0
  const [x, y, z] = view.back
  const [ahead] = levelFrame({ direction: [-x, -y, -z], up: view.up })
  const left = (Math.atan2(ahead[1], ahead[0]) * 180) / Math.PI // of the camera's forward, to the robot's left
  return (((Math.round(left / 90) * 90) % 360) + 360) % 360
}
