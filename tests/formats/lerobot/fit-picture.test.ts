import { describe, expect, it } from 'vitest'
import { fitPicture } from '../../../src/formats/lerobot/fit-picture.ts'
import type { Image, PolicyView } from '../../../src/robot/robot.ts'

const GREYS = [40, 90, 140, 240]

/** 32 × 16: four quarters, each of one grey, row by row. */
const picture: Image = {
  ...{ width: 32, height: 16 },
  data: Uint8Array.from(
    { length: 32 * 16 * 3 },
    (_, i) => GREYS[2 * Number(i >= (32 * 16 * 3) / 2) + Number(Math.floor(i / 3) % 32 >= 16)]!,
  ),
}

/** Which of the greys is in the middle of each quarter. */
function quarters({ width, height, data }: Image): number[] {
  return [0, 1, 2, 3].map((quarter) => {
    const [x, y] = [((quarter % 2) * 2 + 1) * (width >> 2), ((quarter >> 1) * 2 + 1) * (height >> 2)]
    return GREYS.findIndex((grey) => Math.abs(grey - data[3 * (width * y + x)]!) < 10)
  })
}

describe("a dataset's picture", () => {
  it.each<[string, Partial<PolicyView>, number[]]>([
    ['as it is', {}, [0, 1, 2, 3]],
    ['turned by 90° clockwise', { rotate: 90 }, [2, 0, 3, 1]],
    ['turned by 180°', { rotate: 180 }, [3, 2, 1, 0]],
    ['turned by 270°', { rotate: 270 }, [1, 3, 0, 2]],
    ['of the lower half', { crop: { left: 0, top: 8, width: 32, height: 8 } }, [2, 3, 2, 3]],
    ['of the right half, then turned', { crop: { left: 16, top: 0, width: 16, height: 16 }, rotate: 90 }, [3, 1, 3, 1]],
  ])('is shown %s', async (_, view, wanted) => {
    const fitted = await fitPicture(picture, { width: 24, height: 12, ...view }, 'front')
    expect([fitted.width, fitted.height, fitted.data.length]).toEqual([24, 12, 864])
    expect(quarters(fitted)).toEqual(wanted)
  })

  it.each([
    { left: 20, top: 0, width: 13, height: 16 },
    { left: 0, top: 10, width: 32, height: 7 },
  ])('is not cropped beyond its edge: %j', async (crop) =>
    expect(fitPicture(picture, { width: 8, height: 8, crop }, 'camera front')).rejects.toThrow(
      /camera front: the crop ends at \d+ × \d+, the picture is 32 × 16/,
    ),
  )
})
