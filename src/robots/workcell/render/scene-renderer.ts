/** @file What the cameras see at one moment, apart from the physics, and its pictures: made here, or where the moment was sent. */
import type { Image } from '../../../robot/robot.ts'
import { CAMERA_SIZE } from '../appearance.ts'
import { Renderer } from './renderer.ts'
import type { CameraPose, Scene } from './scene.ts'

/** Numbers alone, and none of them MuJoCo's own: it may go to another thread. */
export type SceneState = {
  name: string // of the compiled scene; those of one name have the same shapes
  scene: Scene
  cameras: Readonly<Record<string, CameraPose>>
}

export class SceneRenderer {
  private readonly known = new Map<string, { scene: Scene; renderer: Renderer }>()

  /** A picture of each camera. */
  render({ name, scene, cameras }: SceneState): Record<string, Image> {
    const { width, height } = CAMERA_SIZE
    const kept = this.known.get(name) ?? { scene, renderer: new Renderer(scene, width, height) }
    this.known.set(name, kept)
    Object.assign(kept.scene, scene)
    return Object.fromEntries(
      Object.entries(cameras).map(([camera, pose]) => [camera, kept.renderer.render(pose)] as const),
    )
  }
}
