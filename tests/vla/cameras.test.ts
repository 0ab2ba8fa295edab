/** @file Which of the robot's cameras an encoder looks through. */
import { describe, expect, it } from 'vitest'
import { imageOf, pairCameras } from '../../src/vla/cameras.ts'

const names = (wanted: string[], robot: string[]) =>
  pairCameras(wanted, robot, 'test').map((pair) => `${pair.wanted}=${pair.robot}`)

describe('pairCameras', () => {
  it('pairs equal names, and the rest in order', () => {
    expect(names(['primary', 'wrist'], ['front', 'wrist'])).toEqual(['primary=front', 'wrist=wrist'])
    expect(names(['primary', 'wrist'], ['wrist', 'front'])).toEqual(['primary=front', 'wrist=wrist'])
    expect(names(['camera1', 'camera2', 'camera3'], ['front', 'wrist'])).toEqual(['camera1=front', 'camera2=wrist'])
    expect(names(['a', 'wrist', 'b'], ['wrist', 'front'])).toEqual(['a=front', 'wrist=wrist'])
  })

  it('leaves cameras of the robot over, and refuses a blind one', () => {
    expect(names(['primary'], ['front', 'wrist'])).toEqual(['primary=front'])
    expect(() => names(['primary'], [])).toThrow(/encoder test: sees through primary, the robot has no camera/)
  })
})

describe('imageOf', () => {
  const image = { width: 2, height: 1, data: new Uint8Array(6) }

  it('finds a whole image, and names what is wrong with another', () => {
    expect(imageOf({ front: image }, 'front', 'test')).toBe(image)
    expect(() => imageOf({ front: image }, 'wrist', 'test')).toThrow(/images\.wrist: is missing \(there are: front\)/)
    expect(() => imageOf({ front: { ...image, height: 2 } }, 'front', 'test')).toThrow(/is 2 x 2 with 6 bytes/)
  })
})
