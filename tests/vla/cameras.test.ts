/** @file Which of the robot's cameras an encoder looks through. */
import { describe, expect, it } from 'vitest'
import { type GivenCameras, imageOf, type PairingRules, pairCameras, pairingLine } from '../../src/vla/cameras.ts'
import { cameraOf } from '../../src/vla/smolvla/config.ts'

const pairs = (wanted: string[], robot: string[], rules?: PairingRules) => pairCameras(wanted, robot, 'test', rules)
const names = (...given: Parameters<typeof pairs>) => pairs(...given).map((pair) => `${pair.wanted}=${pair.robot}`)

describe('pairCameras', () => {
  it('pairs equal names, and the rest in order', () => {
    expect(names(['primary', 'wrist'], ['front', 'wrist'])).toEqual(['primary=front', 'wrist=wrist'])
    expect(names(['primary', 'wrist'], ['wrist', 'front'])).toEqual(['primary=front', 'wrist=wrist'])
    expect(names(['camera1', 'camera2', 'camera3'], ['front', 'wrist'])).toEqual(['camera1=front', 'camera2=wrist'])
    expect(names(['a', 'wrist', 'b'], ['wrist', 'front'])).toEqual(['a=front', 'wrist=wrist'])
  })

  it('leaves empty slots empty, however many cameras the robot has', () => {
    expect(names(['top', 'empty_camera_0', 'empty_camera_1'], ['front', 'wrist'])).toEqual(['top=front'])
    expect(names(['empty_camera_0', 'wrist'], ['wrist', 'empty_camera_0'])).toEqual(['wrist=wrist'])
  })

  it("follows the publisher's map before names, and names before order", () => {
    const renamed = { front: 'camera2', wrist: 'camera1' }
    expect(names(['camera1', 'camera2'], ['front', 'wrist'], { renamed })).toEqual(['camera1=wrist', 'camera2=front'])
    expect(names(['wrist', 'front'], ['front', 'wrist'], { renamed: { front: 'wrist' } })).toEqual([
      'wrist=front',
      'front=wrist',
    ])
    const foreign = { top: 'camera1', side: 'elsewhere', front: 'camera3' }
    expect(names(['camera1', 'wrist', 'camera3'], ['wrist', 'front', 'left'], { renamed: foreign })).toEqual([
      'camera1=left',
      'wrist=wrist',
      'camera3=front',
    ])
  })

  it('renames once, not round and round: cycles swap, chains move on by one, of two for one slot the first is taken', () => {
    const cycle = { camera1: 'camera2', camera2: 'camera1' }
    const two = ['camera1', 'camera2']
    expect(names(two, two, { renamed: cycle })).toEqual(['camera1=camera2', 'camera2=camera1'])
    expect(names(['b', 'c'], ['a', 'b'], { renamed: { a: 'b', b: 'c' } })).toEqual(['b=a', 'c=b'])
    expect(names(['a', 'b'], ['x', 'y'], { renamed: { x: 'a', y: 'a' } })).toEqual(['a=x', 'b=y'])
    expect(names(['a', 'empty_camera_0'], ['x', 'y'], { renamed: { x: 'empty_camera_0' } })).toEqual(['a=x'])
  })

  it('takes the setting first, and says of each pair why', () => {
    const rules = { given: { a: 'wrist', c: null }, renamed: { wrist: 'b', side: 'c', left: 'd' } }
    expect(pairs(['a', 'b', 'c', 'd', 'top'], ['front', 'wrist', 'side', 'top', 'left'], rules)).toEqual([
      { wanted: 'a', robot: 'wrist', by: 'vlaCameras' },
      { wanted: 'b', robot: 'front', by: 'order' },
      { wanted: 'd', robot: 'left', by: 'rename_map' },
      { wanted: 'top', robot: 'top', by: 'name' },
    ])
  })

  it('leaves cameras of the robot over, and refuses a blind one', () => {
    expect(names(['primary'], ['front', 'wrist'])).toEqual(['primary=front'])
    expect(() => names(['primary'], [])).toThrow(/encoder test: sees through primary, the robot has no camera/)
    expect(() => names(['empty_camera_0'], ['front'])).toThrow(/sees nothing: its cameras are empty_camera_0/)
    expect(() => names([], ['front'])).toThrow(/sees nothing: its cameras are none/)
    expect(() => names(['a'], ['front'], { given: { a: null } })).toThrow(/sees nothing/)
  })

  const impossible: [string, GivenCameras, RegExp][] = [
    ['a camera that the encoder has not', { constructor: 'front' }, /no camera of test\. It has: a, b/],
    ['a camera that the robot has not', { a: 'back' }, /gives a the camera back.*It has: front, wrist/],
    ['one camera twice', { a: 'front', b: 'front' }, /gives the robot's front to a and to b/],
    ['something for an empty slot', { empty_camera_0: 'front' }, /fills empty_camera_0, which was empty/],
  ]
  it.each(impossible)('refuses a setting with %s', (_, given, message) => {
    expect(() => names(['a', 'b', 'empty_camera_0'], ['front', 'wrist'], { given })).toThrow(message)
  })
})

describe('pairingLine', () => {
  it('says who sees what and why, what stays empty and what is not used', () => {
    const [wanted, robot] = [
      ['camera1', 'wrist', 'empty_camera_0'],
      ['wrist', 'front', 'side'],
    ]
    expect(pairingLine(pairs(wanted, robot), wanted, robot)).toBe(
      "cameras: camera1 sees front (by order), wrist sees wrist (by name); empty: empty_camera_0; not used: the robot's side",
    )
    const renamed = { agentview: 'camera1', overhead: 'camera1', front: 'wrist' }
    expect(pairingLine(pairs(wanted, robot, { renamed }), wanted, robot, renamed)).toMatch(
      /^cameras: camera1 sees wrist \(by order, its rename_map has agentview and overhead\), wrist sees front \(by rename_map\);/,
    )
  })
})

describe('cameraOf', () => {
  it.each([
    ['observation.images.wrist', 'wrist'],
    ['observation.image.wrist', 'wrist'],
    ['observation.images.empty_camera_0', 'empty_camera_0'],
    ['observation.images.robot0_eye_in_hand', 'robot0_eye_in_hand'],
    ['observation.images.left.top', 'left.top'],
    ['observation.image', 'image'],
    ['observation.image2', 'image2'],
    ['observation.imagesque', 'imagesque'],
    ['observation.wrist', 'wrist'],
    ['images.wrist', 'wrist'],
    ['image', 'image'],
    ['wrist', 'wrist'],
  ])('of %s is %s', (feature, camera) => {
    expect(cameraOf(feature)).toBe(camera)
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
