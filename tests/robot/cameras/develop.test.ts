/** @file What the policy sees of a camera's picture, by pictures whose quarters have colours of their own. */
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { develop, jpegSize } from '../../../src/robot/cameras/develop.ts'
import { undeveloped } from '../../../src/robot/cameras/develop-now.ts'
import type { Image, PolicyView } from '../../../src/robot/robot.ts'

const COLOURS = { r: [250, 0, 0], g: [0, 250, 0], b: [0, 0, 250], w: [250, 250, 250] } as const

let jpeg: Buffer // 64 × 48: red and green above, blue and white below
beforeAll(async () => {
  const data = new Uint8Array(3 * 64 * 48)
  for (let y = 0; y < 48; y++)
    for (let x = 0; x < 64; x++) data.set(COLOURS[y < 24 ? (x < 32 ? 'r' : 'g') : x < 32 ? 'b' : 'w'], 3 * (64 * y + x))
  jpeg = await sharp(data, { raw: { width: 64, height: 48, channels: 3 } })
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toBuffer()
})

/** The colours in the middles of the four quarters, row by row. */
function quarters({ width, height, data }: Image): string {
  const at = (x: number, y: number) => [...data.subarray(3 * (width * y + x), 3 * (width * y + x) + 3)]
  const named = (pixel: number[]) =>
    Object.entries(COLOURS).find(([, colour]) => colour.every((value, i) => Math.abs(value - pixel[i]!) < 30))?.[0] ??
    '?'
  const [left, right] = [width >> 2, (3 * width) >> 2]
  const [top, bottom] = [height >> 2, (3 * height) >> 2]
  return [at(left, top), at(right, top), at(left, bottom), at(right, bottom)].map(named).join('')
}

describe('what the policy sees', () => {
  it.each<[string, Partial<PolicyView>, string]>([
    ['as it is', {}, 'rgbw'],
    ['turned by 90° clockwise', { rotate: 90 }, 'brwg'],
    ['turned by 180°', { rotate: 180 }, 'wbgr'],
    ['turned by 270°', { rotate: 270 }, 'gwrb'],
    ['of the upper half', { crop: { left: 0, top: 0, width: 64, height: 24 } }, 'rgrg'],
    [
      'of the right half, turned by 90°: first cropped, then turned',
      { crop: { left: 32, top: 0, width: 32, height: 48 }, rotate: 90 },
      'wgwg',
    ],
  ])('is the picture %s', async (_, view, expected) => {
    const image = await develop(jpeg, { width: 20, height: 30, ...view }, 'front')
    expect([image.width, image.height, image.data.length]).toEqual([20, 30, 1800])
    expect(quarters(image)).toBe(expected)
  })

  it('has three colours where the camera is a grey one', async () => {
    const grey = await sharp(jpeg).greyscale().jpeg().toBuffer()
    const { data } = await develop(grey, { width: 8, height: 8 }, 'front')
    expect(data).toHaveLength(192)
    expect(data[0]).toBe(data[1])
  })

  it('is not turned by what a JPEG says of its orientation: the settings say all', async () => {
    const turned = await sharp(jpeg).withMetadata({ orientation: 6 }).toBuffer()
    expect(quarters(await develop(turned, { width: 20, height: 30 }, 'front'))).toBe('rgbw')
  })

  it('is the same to the byte when a reader makes it later', async () => {
    const view = { width: 17, height: 11, crop: { left: 3, top: 5, width: 50, height: 31 }, rotate: 270 as const }
    const seen = await develop(jpeg, view, 'front')
    expect(Buffer.compare(undeveloped(jpeg, view, 'front').data, seen.data)).toBe(0)
  })
})

describe('a picture is refused', () => {
  const refused = (bytes: Uint8Array, view: Parameters<typeof develop>[1], what: string) =>
    expect(develop(bytes, view, 'front')).rejects.toThrow(what)
  const small = { width: 4, height: 4 }

  it('where the crop leads out of it', () =>
    refused(
      jpeg,
      { ...small, crop: { left: 60, top: 0, width: 5, height: 5 } },
      "ends at 65 × 5, the camera's picture is 64 × 48",
    ))
  it('where it has another size than the settings say', () =>
    refused(
      jpeg,
      { ...small, capture: { width: 640, height: 480 } },
      'sends 64 × 48 pixels, its capture is set to 640 × 480',
    ))
  it('where it is cut off', () => refused(jpeg.subarray(0, jpeg.length - 60), small, 'cannot be decoded'))
  it('where it is cut off before its size', () =>
    refused(jpeg.subarray(0, 30), small, 'its head does not tell its size'))
  it.each([
    ['a page', '<!DOCTYPE html><html>', 'an HTML page'],
    ['text', 'no signal', '"no signal"'],
    ['nothing', '', 'nothing'],
    ['a PNG', '\x89PNG\r\n', 'a PNG'],
    ['other bytes', '\x00\x01\x02\x03', 'bytes 00010203'],
  ])('where it is %s', (_, text, what) => refused(Buffer.from(text, 'latin1'), small, what))
})

it.each([false, true])('the size of a JPEG stands in its head, progressive %s', async (progressive) => {
  const bytes = await sharp(jpeg).jpeg({ progressive }).toBuffer()
  expect(jpegSize(bytes, 'front')).toEqual({ width: 64, height: 48 })
})
