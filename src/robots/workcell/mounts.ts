/** @file Where the cameras of a workcell are mounted, in numbers that need no renderer: to draw over their pictures. */
import type { CameraMount } from '../../robot/robot.ts'
import { WRIST, WRIST_FOVY } from './appearance.ts'
import { GRIPPER } from './layout.ts'
import type { FrontCamera } from './options.ts'
import { lookAt } from './render/scene.ts'
import { fromMatrix } from './spatial.ts'
import type { Vec3 } from './truth.ts'
import { subtract } from './vector.ts'

export function workcellCameras({ frontCamera }: { frontCamera: FrontCamera }): Record<'front' | 'wrist', CameraMount> {
  const { position, target, fovy } = frontCamera
  const palm: Vec3 = [0, 0, GRIPPER.tcpAhead] // the tool's place in the hand frame; both are turned alike
  return {
    front: { mount: 'base', position, rotation: fromMatrix(lookAt(position, target)), fovy },
    wrist: {
      mount: 'tool',
      position: subtract(WRIST.position, palm),
      rotation: fromMatrix(lookAt(WRIST.position, WRIST.target, WRIST.up)),
      fovy: WRIST_FOVY,
    },
  }
}
