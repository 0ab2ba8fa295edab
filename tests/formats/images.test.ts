/** @file Contact sheets and animations, read back by a decoder that is not ours (pngjs) or by the GIF89a layout. */
import { PNG } from 'pngjs'
import { describe, expect, it } from 'vitest'
import { animation, contactSheet, sideBySide } from '../../src/formats/images.ts'
import type { Image } from '../../src/robot/robot.ts'

const flat = (width: number, height: number, rgb: number[]): Image => ({
  width,
  height,
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) => rgb[i % 3]!),
})
const at = (png: PNG, x: number, y: number) => [
  ...png.data.subarray(4 * (y * png.width + x), 4 * (y * png.width + x) + 3),
]

describe('contactSheet', () => {
  it('lays images out row by row with a white gap of 2 pixels', () => {
    const colours = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
    ]
    const png = PNG.sync.read(
      contactSheet(
        colours.map((rgb) => flat(4, 3, rgb)),
        2,
      ),
    )
    expect([png.width, png.height]).toEqual([4 + 2 + 4, 3 + 2 + 3])
    expect(at(png, 3, 2)).toEqual([255, 0, 0])
    expect(at(png, 4, 0)).toEqual([255, 255, 255])
    expect(at(png, 6, 0)).toEqual([0, 255, 0])
    expect(at(png, 0, 5)).toEqual([0, 0, 255])
  })

  it('enlarges by whole pixels', () => {
    const image = { width: 2, height: 1, data: Uint8Array.from([1, 2, 3, 4, 5, 6]) }
    const png = PNG.sync.read(contactSheet([image], 1, 3))
    expect([png.width, png.height]).toEqual([6, 3])
    expect([at(png, 2, 2), at(png, 3, 0)]).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
  })

  it('refuses images of different sizes', () =>
    expect(() => contactSheet([flat(4, 3, [0, 0, 0]), flat(5, 3, [0, 0, 0])])).toThrow('4 x 3 and 5 x 3'))
})

describe('animation', () => {
  it('writes a looping GIF89a of the right size with one image block a frame', () => {
    const gif = Buffer.from(animation([flat(8, 4, [255, 0, 0]), flat(8, 4, [0, 0, 255])], 100))
    expect(gif.toString('latin1', 0, 6)).toBe('GIF89a')
    expect([gif.readUInt16LE(6), gif.readUInt16LE(8)]).toEqual([8, 4])
    expect(gif.toString('latin1')).toContain('NETSCAPE2.0')
    const controls = gif.toString('latin1').split('\x21\xf9\x04').length - 1
    expect(controls).toBe(2)
    expect(gif.readUInt16LE(gif.indexOf(Buffer.from([0x21, 0xf9, 0x04])) + 4)).toBe(10) // hundredths of a second
  })
})

describe('sideBySide', () => {
  it('joins rows of images of one height', () => {
    const joined = sideBySide([flat(1, 2, [1, 1, 1]), flat(2, 2, [2, 2, 2])])
    expect([joined.width, joined.height]).toEqual([3, 2])
    expect([...joined.data]).toEqual([1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2])
  })
})
