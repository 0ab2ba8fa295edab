/** @file One compiled scene of a workcell: its physics, the drive of its arm, what its cameras see, and where its loads are felt. */
import { CAMERA_SIZE, markActive, sceneOf } from './appearance.ts'
import { type Drive, ImpedanceDrive } from './controller.ts'
import { GantryDrive } from './gantry.ts'
import { NAMES } from './mjcf.ts'
import type { WorkcellOptions } from './options.ts'
import { Renderer } from './render/renderer.ts'
import type { Scene } from './render/scene.ts'
import type { World } from './world.ts'

export class Stage {
  readonly drive: Drive
  readonly eyes: { scene: Scene; renderer: Renderer; bodies: string[] } | undefined
  readonly loads: number[] // sensor addresses of the force on each fixture and the table

  constructor(
    readonly options: WorkcellOptions,
    readonly world: World,
  ) {
    const { arm, cameras } = options
    this.drive = arm === 'panda' ? new ImpedanceDrive(world, options.gains, options.base.yaw) : new GantryDrive(world)
    this.loads = [...world.fixtures, NAMES.table].map((name) => world.sensor(NAMES.load(name)))
    if (cameras) {
      const scene = sceneOf(world, options)
      const renderer = new Renderer(scene, CAMERA_SIZE.width, CAMERA_SIZE.height)
      this.eyes = { scene, renderer, bodies: world.geoms().map(({ body }) => body) }
    }
  }

  /** The same cell with the stand on a rail. */
  withRail(): Stage {
    return new Stage(this.options, this.world.sibling({ ...this.options, rail: true }))
  }

  /** Colours the cradle and the slot of the active bolt. */
  mark(bolt: number): void {
    if (this.eyes) markActive(this.eyes.scene, this.eyes.bodies, bolt, this.options.bolts)
  }
}
