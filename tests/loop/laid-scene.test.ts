/** @file What is seen of a scene that was just laid: none of the pictures that a camera took before. */
import { expect, it } from 'vitest'
import { laidScene } from '../../src/loop/laid-scene.ts'
import type { Observation } from '../../src/robot/robot.ts'

/** Looks every 0.02 s; its camera's pictures are of these moments, in turn, the last one for ever. */
function aRobot(...taken: number[]) {
  let looks = 0
  const observe = async (): Promise<Observation> => {
    const at = taken[Math.min(looks, taken.length - 1)]
    return {
      images: {},
      proprio: Float32Array.of(looks),
      time: 5 + 0.02 * looks++,
      ...(at !== undefined && { taken: { front: at, wrist: 6 } }),
    }
  }
  return { observe, looked: () => looks }
}

it('is looked at again until each camera has a picture of since then', async () => {
  const robot = aRobot(4.95, 4.99, 5.01, 5.03)
  expect((await laidScene(robot)).taken!.front).toBe(5.01)
})

it('is the first look where no camera tells when its picture is of', async () => {
  const robot = aRobot()
  expect([...(await laidScene(robot)).proprio]).toEqual([0])
  expect(robot.looked()).toBe(1)
})

it('is what there is after a second of a camera that gives nothing new: the envelope judges that', async () => {
  const began = performance.now()
  expect((await laidScene(aRobot(4.9))).taken!.front).toBe(4.9)
  expect(performance.now() - began).toBeGreaterThan(900)
})
