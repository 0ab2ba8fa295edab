import { afterAll, describe, expect, it } from 'vitest'
import type { CameraInfo } from '../../src/console/protocol.ts'
import { camerasOf, ProprioReader } from '../../src/console/server/pose.ts'
import { inBearing } from '../../src/console/web/hand/bearing.ts'
import { handFrame } from '../../src/console/web/hand/settings.ts'
import { columnsOf, projectLine, projectPoint, viewOf } from '../../src/console/web/view/projection.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'

const HALF = Math.SQRT1_2
const QUARTER_TURN = [HALF, 0, 0, HALF] as const // 90° about z
const camera = (changes: Partial<NonNullable<CameraInfo['calibration']>> = {}): CameraInfo => ({
  name: 'above',
  width: 128,
  height: 128,
  calibration: { mount: 'base', position: [0, 0, 1], rotation: [1, 0, 0, 0], fovy: Math.PI / 2, ...changes },
})
const near = (got: readonly number[] | null, wanted: readonly number[]) => {
  expect(got).not.toBeNull()
  for (const [i, value] of got!.entries()) expect(value).toBeCloseTo(wanted[i]!, 10)
}

describe('projection into the picture', () => {
  it('is 96, 51.2 of 128 pixels for (0.25, 0.1) half a metre below a camera of 90°: 64 + 64 · 0.25 / 0.5, 64 - 64 · 0.1 / 0.5', () => {
    const view = viewOf(camera(), null)!
    near(projectPoint(view, [0.25, 0.1, 0.5]), [96 / 128, 51.2 / 128])
  })

  it('counts shares of width and of height apart: in a picture twice as wide the same point is half as far from the middle', () => {
    const view = viewOf({ ...camera(), width: 256 }, null)!
    near(projectPoint(view, [0.25, 0.1, 0.5]), [0.5 + 0.25 / 2, 0.4])
  })

  it('has no place for what is behind the camera', () => {
    expect(projectPoint(viewOf(camera(), null)!, [0, 0, 1.2])).toBeNull()
  })

  it('rides on the tool: at (0.5, 0, 0.2), turned by 90°, a camera mounted at (0.1, 0, 0.3) stands at (0.5, 0.1, 0.5) and its right is +y', () => {
    const mounted = camera({ mount: 'tool', position: [0.1, 0, 0.3] })
    const view = viewOf(mounted, { position: [0.5, 0, 0.2], rotation: QUARTER_TURN })!
    near(view.position, [0.5, 0.1, 0.5])
    // (0.4, 0.2, 0) lies 0.1 along +y (right), 0.1 along -x (up), 0.5 below: f = 1/2 of the height
    near(projectPoint(view, [0.4, 0.2, 0]), [0.6, 0.4])
  })

  it('does not guess: no view without calibration, nor on a tool whose pose is not told', () => {
    expect(viewOf({ ...camera(), calibration: null }, null)).toBeNull()
    expect(viewOf(camera({ mount: 'tool' }), null)).toBeNull()
  })

  it('cuts a line where it passes the camera, and drops one that is all behind', () => {
    const view = viewOf(camera(), null)!
    const [from, to] = projectLine(view, [0, 0, 0], [0, 1, 2])!
    near(from, [0.5, 0.5])
    expect(to[1]).toBeLessThan(0) // leaves the picture at its top
    expect(projectLine(view, [0, 0, 1.1], [0, 0, 2])).toBeNull()
  })

  it('turns the axes as a quaternion says: 90° about z takes x to y and y to -x', () => {
    const [x, y, z] = columnsOf(QUARTER_TURN)
    near(x, [0, 1, 0])
    near(y, [-1, 0, 0])
    near(z, [0, 0, 1])
  })
})

describe('whose forward', () => {
  const facing = camera({ position: [1, 0, 0.5], rotation: [0.5, 0.5, 0.5, 0.5] }) // looks along -x, up is z: right is +y
  it('turns the dial by 180° for a camera face to face with the robot, and not without one', () => {
    expect(viewOf(facing, null)!.right).toEqual([0, 1, 0])
    expect(inBearing(facing, null)).toBe(180)
    expect(inBearing(undefined, null)).toBe(0)
  })

  it('makes forward of the hand backward of a robot that is seen from the front', () => {
    const [forward, left, up] = handFrame('above', [facing], null)
    near(forward, [-1, 0, 0])
    near(left, [0, -1, 0])
    near(up, [0, 0, 1])
    near(handFrame('base', [facing], null)[0], [1, 0, 0])
  })
})

describe('against the renderer', async () => {
  const cell = await Workcell.create({ arm: 'gantry' })
  afterAll(() => cell.free())
  const cameras = camerasOf(cell.spec.cameras)

  it.each(['slots', 'cradles'] as const)(
    'finds the marked colour of the %s where their place is projected',
    (which) => {
      const { images, proprio } = cell.resetSync('place', 3)
      const { front } = images
      const view = viewOf(cameras.find(({ name }) => name === 'front')!, new ProprioReader(cell.spec).tcp(proprio))!
      const [x, y, z] = cell.truth()[which][0]!.position
      const at = projectPoint(view, [x + (which === 'slots' ? 0.019 : 0.014), y, z - 0.02])! // on the side that faces the camera
      const pixel = 3 * (Math.floor(at[1] * front!.height) * front!.width + Math.floor(at[0] * front!.width))
      const [red, green, blue] = front!.data.subarray(pixel, pixel + 3)
      if (which === 'slots')
        expect(red! > 1.3 * green! && green! > 2 * blue!).toBe(true) // amber
      else expect(blue! > 2 * red! && green! > 2 * red!).toBe(true) // cyan
    },
  )
})
