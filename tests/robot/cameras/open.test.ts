import { afterEach, describe, expect, it } from 'vitest'
import { cameraClock } from '../../../src/robot/cameras/camera.ts'
import { CamerasConfig, cameraSpecs } from '../../../src/robot/cameras/config.ts'
import { type Cameras, type CamerasOptions, openCameras } from '../../../src/robot/cameras/open.ts'

/** Waits for it: a busy machine is slow. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 })

let opened: Cameras | undefined
afterEach(async () => {
  await opened?.close()
  opened = undefined
})

const open = async (config: unknown, options?: CamerasOptions) => {
  opened = await openCameras(CamerasConfig.parse(config), options)
  return opened
}

const small = { width: 16, height: 12, capture: { width: 64, height: 48, fps: 100 } }

describe('opened cameras', () => {
  it('give a picture of each at once, in the size of the policy and with the moment when it came', async () => {
    const before = cameraClock()
    const cameras = await open({ front: { kind: 'test', ...small }, wrist: { kind: 'test', ...small, width: 8 } })
    const { images, taken } = cameras.pictures()
    expect(Object.keys(images)).toEqual(['front', 'wrist'])
    expect([images.front!.width, images.front!.height, images.front!.data.length]).toEqual([16, 12, 16 * 12 * 3])
    expect(images.wrist!.width).toBe(8)
    expect(taken.front).toBeGreaterThan(before)
    expect(taken.front).toBeLessThanOrEqual(cameraClock())
  })

  it('give newer pictures as time goes by', async () => {
    const cameras = await open({ front: { kind: 'test', ...small } })
    const first = cameras.pictures().taken.front!
    await soon(() => cameras.pictures().taken.front).toBeGreaterThan(first)
  })

  it('are not given where one sends nothing, which is named', () =>
    expect(
      open(
        { side: { kind: 'ros', topic: '/side', width: 4, height: 4 } },
        { patience: 0.05, subscribe: () => ({ close: () => undefined }) },
      ),
    ).rejects.toThrow('camera side: has sent no picture within 0.05 s'))
})

describe('a spec of cameras', () => {
  it('has what a picture is made by, and not where it comes from', () => {
    const config = CamerasConfig.parse({
      front: { kind: 'test', ...small, crop: { left: 1, top: 2, width: 30, height: 20 }, rotate: 90 },
      side: { kind: 'ros', topic: '/side', width: 4, height: 4 },
    })
    expect(cameraSpecs(config)).toEqual({
      front: {
        width: 16,
        height: 12,
        jpeg: true,
        capture: { width: 64, height: 48 },
        crop: { left: 1, top: 2, width: 30, height: 20 },
        rotate: 90,
      },
      side: { width: 4, height: 4, jpeg: true },
    })
  })
})
