/** @file A log of a robot whose cameras send JPEG: their bytes are kept, and what the policy saw comes out of them again. */
import fs from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from '../../src/replay/check.ts'
import { crc32 } from '../../src/replay/crc32.ts'
import { frame } from '../../src/replay/frames.ts'
import { EpisodeLog, readEpisodes } from '../../src/replay/index.ts'
import { CamerasConfig, cameraSpecs } from '../../src/robot/cameras/config.ts'
import { develop } from '../../src/robot/cameras/develop.ts'
import { testPattern } from '../../src/robot/cameras/sources/test-pattern.ts'
import type { Observation, RobotSpec } from '../../src/robot/robot.ts'
import { aFolder, aRobot, episodeOf, record } from './scenes.ts'

const config = CamerasConfig.parse({
  wrist: { kind: 'test', width: 16, height: 24, crop: { left: 20, top: 4, width: 80, height: 60 }, rotate: 270 },
  front: { kind: 'test', width: 20, height: 10 },
})
const spec: RobotSpec = { ...aRobot(), name: 'desk arm', cameras: cameraSpecs(config) }

const folders: string[] = []
const aLog = () => {
  folders.push(aFolder())
  return folders.at(-1)!
}
afterAll(() => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true })
})

const jpegs: Uint8Array[] = [] // of the camera, one an observation
let observations: Observation[]
beforeAll(async () => {
  for (let t = 0; t < 4; t++) {
    const { data } = testPattern(128, 72, 11 * t)
    jpegs.push(
      await sharp(data, { raw: { width: 128, height: 72, channels: 3 } })
        .jpeg({ quality: 80 })
        .toBuffer(),
    )
  }
  observations = await Promise.all(
    jpegs.map(async (jpeg, t) => ({
      ...{ time: t / 10, proprio: Float32Array.of(0, t, 1) },
      images: {
        wrist: await develop(jpeg, spec.cameras.wrist!, 'wrist'),
        front: await develop(jpeg, spec.cameras.front!, 'front'),
      },
    })),
  )
})

const recorded = (told: Observation[], robot = spec) => {
  const folder = aLog()
  const log = EpisodeLog.open(folder, robot)
  record(log, { ...episodeOf(0, told.length - 1, robot), observations: told })
  log.close()
  return folder
}
const segment = (folder: string) => path.join(folder, 'segment-000001.duetlog')
const versionOf = (folder: string) => /"version":(\d)/.exec(fs.readFileSync(segment(folder), 'latin1'))![1]

describe("a log of cameras' pictures", () => {
  it('gives the pixels that the policy saw, every one, and the bytes of which they were made', () => {
    const [episode] = [...readEpisodes(recorded(observations), spec)]
    expect(episode!.observations).toHaveLength(4)
    for (const [t, { images }] of episode!.observations.entries())
      for (const camera of ['wrist', 'front']) {
        expect(Buffer.compare(images[camera]!.data, observations[t]!.images[camera]!.data)).toBe(0)
        expect(Buffer.compare(images[camera]!.jpeg!, jpegs[t]!)).toBe(0)
        const { width, height } = spec.cameras[camera]!
        expect(images[camera]).toMatchObject({ width, height })
      }
  })

  it('holds the JPEG as it came, and is of version 3', () => {
    const folder = recorded(observations)
    const bytes = fs.readFileSync(segment(folder))
    for (const jpeg of jpegs) expect(bytes.indexOf(jpeg)).toBeGreaterThan(0)
    expect(versionOf(folder)).toBe('3')
  })

  it('takes images without a JPEG, too, between those that have one', () => {
    const mixed = observations.map((observation, t) => {
      if (t % 3 === 0) return observation
      const { jpeg: _, ...front } = observation.images.front!
      return { ...observation, images: { ...observation.images, front } }
    })
    const [episode] = [...readEpisodes(recorded(mixed), spec)]
    expect(episode!.observations.map(({ images }) => images.front!.jpeg !== undefined)).toEqual([
      true,
      false,
      false,
      true,
    ])
    for (const [t, { images }] of episode!.observations.entries())
      expect(Buffer.compare(images.front!.data, observations[t]!.images.front!.data)).toBe(0)
  })

  it('is of version 2, as older programs read it, where a robot has no such cameras', () =>
    expect(versionOf(recorded(episodeOf(0, 2).observations, aRobot()))).toBe('2'))

  it('is refused to a robot that sees another part of the picture', () => {
    const folder = recorded(observations)
    const turned = { ...spec, cameras: { ...spec.cameras, wrist: { ...spec.cameras.wrist!, rotate: 90 as const } } }
    expect(() => [...readEpisodes(folder, turned)]).toThrow('whose cameras is')
  })
})

describe('a check of it', () => {
  /** The log with the picture of one step changed, its checksums put right again. */
  function rewritten(change: (payload: Buffer, at: number) => Buffer): string {
    const folder = recorded(observations)
    const bytes = fs.readFileSync(segment(folder))
    const place = bytes.indexOf(jpegs[2]!)
    const start = bytes.lastIndexOf('DUET', place)
    const length = bytes.readUInt32LE(start + 4)
    const payload = Buffer.from(bytes.subarray(start + 12, start + 12 + length))
    const after = bytes.subarray(start + 12 + length)
    const changed = change(payload, place - start - 12)
    fs.writeFileSync(segment(folder), Buffer.concat([bytes.subarray(0, start), frame(changed), after]))
    return folder
  }

  it('finds nothing in one that is whole', async () => {
    const { files } = await checkLog(recorded(observations))
    expect(files).toMatchObject([{ damage: [], changed: 0, episodes: [{ steps: 3 }] }])
  })

  it('counts the pictures that come out otherwise than the policy saw them, which are no damage', async () => {
    const folder = rewritten((payload, at) => {
      payload.writeUInt32LE(crc32(Buffer.from('others')), at - 4)
      return payload
    })
    expect((await checkLog(folder)).files).toMatchObject([{ damage: [], changed: 1, episodes: [{ steps: 3 }] }])
  })

  it('finds the step whose JPEG is none', async () => {
    const folder = rewritten((payload, at) => {
      payload[at] = 0
      return payload
    })
    const what = expect.stringMatching(/^holds a JPEG of camera \w+ that cannot be decoded$/)
    expect((await checkLog(folder)).files).toMatchObject([{ damage: [{ episode: 0, step: 1, what }], episodes: [] }])
  })
})
