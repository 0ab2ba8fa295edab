/** @file What the cameras see: the drawn geoms of the model, the two camera poses, and the colours that mark the active fixtures. */
import { NAMES } from './mjcf.ts'
import type { Colour, FrontCamera, WorkcellOptions } from './options.ts'
import { type CameraPose, defaultBackground, type Geom, lookAt, type Scene } from './render/scene.ts'
import { toWorld } from './spatial.ts'
import type { Pose, Vec3 } from './truth.ts'
import { rotate } from './vector.ts'
import type { World } from './world.ts'

export const CAMERA_SIZE = { width: 128, height: 128 }
const CYAN: Colour = [0.05, 0.75, 0.85]
const AMBER: Colour = [1, 0.62, 0.05]
const IDLE: Colour = [0.45, 0.46, 0.48]

/** In the hand frame: beside the palm, looking past the fingertips. */
export const WRIST = { position: [0.072, 0, 0.052] as Vec3, target: [0, 0, 0.128] as Vec3, up: [1, 0, 0] as Vec3 }
export const WRIST_FOVY = (75 * Math.PI) / 180
const NEAR = { front: 0.05, wrist: 0.008 } // metres

const KINDS: Record<number, Geom['kind']> = { 2: 'sphere', 3: 'capsule', 5: 'cylinder', 6: 'box' } // mjtGeom

/** The geoms of the world for the rasteriser; those that only collide (alpha 0) are null. */
export function sceneOf(world: World, { light, table }: Pick<WorkcellOptions, 'light' | 'table'>): Scene {
  return {
    geoms: world
      .geoms()
      .map(({ type, size, rgba }) =>
        rgba[3] === 0 ? null : { kind: KINDS[type]!, size, colour: rgba.slice(0, 3) as Colour, castsShadow: true },
      ),
    xpos: world.views.geomPosition,
    xmat: world.views.geomRotation,
    light,
    table,
    background: defaultBackground(),
  }
}

/** Cyan for the active cradle, amber for the active slot, grey for the others: with four bolts nothing else tells which is meant. */
export function markActive(scene: Scene, bodyOfGeom: string[], active: number, count: number): void {
  for (let k = 0; k < count; k++) {
    const colours = { [NAMES.cradle(k)]: k === active ? CYAN : IDLE, [NAMES.slot(k)]: k === active ? AMBER : IDLE }
    scene.geoms.forEach((geom, g) => {
      const colour = colours[bodyOfGeom[g]!]
      if (geom && colour) geom.colour = colour
    })
  }
}

export const frontCamera = ({ position, target, fovy }: FrontCamera): CameraPose => ({
  position,
  rotation: lookAt(position, target),
  fovy,
  near: NEAR.front,
})

/** The wrist camera for the present pose of the hand. */
export function wristCamera(hand: Pose): CameraPose {
  const position = toWorld(hand, WRIST.position)
  return {
    position,
    rotation: lookAt(position, toWorld(hand, WRIST.target), rotate(hand.rotation, WRIST.up)),
    fovy: WRIST_FOVY,
    near: NEAR.wrist,
  }
}
