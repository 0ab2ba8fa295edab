/** @file What is encoded of an observation: the embedding of the true images, the features of these and of shifted copies. */
import { describe, expect, it } from 'vitest'
import { look } from '../../src/loop/perception.ts'
import type { Image, Observation } from '../../src/robot/robot.ts'
import type { EncoderInput, VlaEncoder } from '../../src/vla/encoder.ts'

const SIZE = 9
const CENTRE = 4

/** Black but for the pixel in the middle. */
function dot(): Image {
  const data = new Uint8Array(3 * SIZE * SIZE)
  data.fill(255, 3 * (CENTRE * SIZE + CENTRE), 3 * (CENTRE * SIZE + CENTRE) + 3)
  return { width: SIZE, height: SIZE, data }
}

/** Right and down by how many pixels the dot went. */
function shiftOf({ data }: Image): [dx: number, dy: number] {
  const at = data.indexOf(255) / 3
  return [(at % SIZE) - CENTRE, Math.floor(at / SIZE) - CENTRE]
}

/** Sees where the dots are: as features, and as h. */
const encoder = {
  encode: async (inputs: readonly EncoderInput[]) =>
    inputs.map(({ images }) => {
      const places = Float32Array.from(['front', 'wrist'].flatMap((camera) => shiftOf(images[camera]!)))
      return { h: places.slice(), features: places }
    }),
} as unknown as VlaEncoder

const observation: Observation = {
  images: { front: dot(), wrist: dot() },
  proprio: Float32Array.of(0.5),
  time: 0,
}
const seeAt = (id: number, { count = 2, pixels = 2, seed = 1 } = {}) =>
  look(encoder, observation, 'pick it up', { count, pixels, seed }, id)

describe('an observation as the networks see it', () => {
  it('has the h of the true images, whatever its copies are shifted by', async () => {
    for (let id = 0; id < 20; id++) expect([...(await seeAt(id)).h]).toEqual([0, 0, 0, 0])
  })

  it('has the features of the true images first, then those of as many copies as are asked for', async () => {
    const { features } = await seeAt(7, { count: 3 })
    expect(features).toHaveLength(4)
    expect([...features[0]!]).toEqual([0, 0, 0, 0])
    expect((await seeAt(7, { count: 0 })).features).toHaveLength(1)
  })

  it('shifts copies to all sides, each of the 25 ways that 2 pixels allow, and each camera by itself', async () => {
    const ways = { front: new Map<string, number>(), wrist: new Map<string, number>() }
    let apart = 0
    for (let id = 0; id < 400; id++)
      for (const [x, y, u, v] of (await seeAt(id)).features.slice(1).map((places) => [...places])) {
        ways.front.set(`${x} ${y}`, (ways.front.get(`${x} ${y}`) ?? 0) + 1)
        ways.wrist.set(`${u} ${v}`, (ways.wrist.get(`${u} ${v}`) ?? 0) + 1)
        if (x !== u || y !== v) apart++
      }
    const all = [-2, -1, 0, 1, 2].flatMap((dx) => [-2, -1, 0, 1, 2].map((dy) => `${dx} ${dy}`))
    for (const seen of Object.values(ways)) {
      expect([...seen.keys()].sort()).toEqual(all.sort())
      for (const count of seen.values()) expect(Math.abs(count - 32)).toBeLessThan(5 * 5.6) // 800 draws of 25 ways
    }
    expect(apart).toBeGreaterThan(700) // 24 of 25
  })

  it('is rebuilt alike for one id and seed, and otherwise not', async () => {
    const seen = await Promise.all([seeAt(3), seeAt(3), seeAt(4), seeAt(3, { seed: 2 })])
    const [first, again, ...others] = seen.map(({ features }) => features.map((places) => [...places]).join())
    expect(again).toBe(first)
    for (const other of others) expect(other).not.toBe(first)
  })
})
