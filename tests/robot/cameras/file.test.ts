/** @file Recorded pictures as a camera. What needs ffmpeg is left out where there is none. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LiveCamera } from '../../../src/robot/cameras/camera.ts'
import { openCamera } from '../../../src/robot/cameras/open.ts'
import { readingsOf } from '../../../src/robot/cameras/sources/usb.ts'

/** Waits for it: a busy machine is slow. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'duet-camera-'))
afterAll(() => rmSync(folder, { recursive: true }))
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).error === undefined

let pictures: Buffer[] // three shades of grey
beforeAll(async () => {
  pictures = await Promise.all(
    [20, 120, 220].map((shade) =>
      sharp({ create: { width: 32, height: 24, channels: 3, background: { r: shade, g: shade, b: shade } } })
        .jpeg()
        .toBuffer(),
    ),
  )
})

let camera: LiveCamera | undefined
afterEach(() => camera?.close())

async function playing(path: string) {
  camera = await openCamera('front', {
    ...{ kind: 'file', path, width: 4, height: 4, rotate: 0 },
    capture: { width: 32, height: 24, fps: 100 },
  })
  const shades = new Set<number>()
  camera.watch(() => shades.add(Math.round((camera!.newest()?.image.data[0] ?? 0) / 10) * 10))
  return { camera, shades }
}

describe('recorded pictures', () => {
  it('of a folder are shown in the order of their names, over and over', async () => {
    const own = mkdtempSync(join(folder, 'pictures-'))
    for (const [i, jpeg] of pictures.entries()) writeFileSync(join(own, `${i}.jpg`), jpeg)
    writeFileSync(join(own, 'notes.txt'), 'not one of them')
    const { camera, shades } = await playing(own)
    await soon(() => [...shades].sort()).toEqual([120, 20, 220].sort())
    await soon(() => camera.counts.pictures).toBeGreaterThan(6)
  })

  it('of one file, JPEG after JPEG, are shown over and over', async () => {
    writeFileSync(join(folder, 'stream.mjpeg'), Buffer.concat(pictures))
    const { camera, shades } = await playing(join(folder, 'stream.mjpeg'))
    await soon(() => shades.size).toBe(3)
    await soon(() => camera.counts.pictures).toBeGreaterThan(6)
  })

  it('that are not there are refused by camera and setting', async () => {
    await expect(playing(join(folder, 'gone.mp4'))).rejects.toThrow('cameras.front.path')
    const empty = mkdtempSync(join(folder, 'empty-'))
    await expect(playing(empty)).rejects.toThrow('holds no .jpg file')
  })

  it.skipIf(!hasFfmpeg)(
    'of a video are read by ffmpeg (left out without one)',
    async () => {
      const video = join(folder, 'video.avi')
      const source = 'testsrc=size=32x24:rate=30:duration=1'
      spawnSync('ffmpeg', ['-loglevel', 'error', '-f', 'lavfi', '-i', source, '-c:v', 'mpeg4', video])
      const { camera } = await playing(video)
      await soon(() => camera.counts.decoded).toBeGreaterThan(2)
      expect(camera.newest()!.image.width).toBe(4)
    },
    120_000,
  )

  it.skipIf(!hasFfmpeg)(
    'that are none are told of with what ffmpeg says (left out without one)',
    async () => {
      writeFileSync(join(folder, 'letter.mp4'), 'Dear camera')
      const { camera } = await playing(join(folder, 'letter.mp4'))
      await soon(() => camera.trouble?.what).toContain('Invalid data')
    },
    120_000,
  )
})

describe('a USB camera', () => {
  const capture = { width: 640, height: 480, fps: 30 }

  it('is asked for its own JPEG first, then for anything', () => {
    const [own, other] = readingsOf({ device: '/dev/video2', capture }, 'linux').map((reading) => reading.join(' '))
    expect(own).toBe('-f v4l2 -input_format mjpeg -video_size 640x480 -framerate 30 -i /dev/video2 -c:v copy')
    expect(other).toBe('-f v4l2 -video_size 640x480 -framerate 30 -i /dev/video2 -c:v mjpeg -q:v 3')
  })

  it('that is not plugged in is refused by camera and setting', () =>
    expect(
      openCamera('wrist', { kind: 'usb', device: join(folder, 'video9'), width: 4, height: 4, rotate: 0 }),
    ).rejects.toThrow('cameras.wrist.device: is '))
})
