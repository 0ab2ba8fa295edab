import { expect, it } from 'vitest'
import {
  countLevels,
  NumberStatistics,
  noLevels,
  pictureStatistics,
  statisticsOf,
} from '../../../../src/formats/lerobot/write/statistics.ts'

it('is what numpy says of the same numbers, however they came in', () => {
  // numpy: x = [3, -1, 4, 1, 5, 9, -2, 6]; x.mean(), x.std(), np.quantile(x, [.01, .1, .5, .9, .99])
  const expected = {
    ...{ min: [-2], max: [9], mean: [3.125], std: [3.4437443285] },
    ...{ count: [8], q01: [-1.93], q10: [-1.3], q50: [3.5], q90: [6.9], q99: [8.79] },
  }
  for (const parts of [[[3, -1, 4, 1, 5, 9, -2, 6]], [[3, -1, 4], [], [1, 5, 9, -2], [6]]]) {
    const statistics = new NumberStatistics()
    for (const part of parts) statistics.add(part)
    for (const [name, value] of Object.entries(statisticsOf([statistics])))
      expect((value as number[])[0], name).toBeCloseTo(expected[name as keyof typeof expected][0]!, 9)
  }
})

it('bools count as 0 and 1', () => {
  const statistics = new NumberStatistics()
  statistics.add([true, false, false, true])
  expect(statisticsOf([statistics])).toMatchObject({ min: [0], max: [1], mean: [0.5], std: [0.5] })
})

it('of pictures, per channel from 0 to 1', () => {
  const levels = noLevels()
  countLevels(levels, Uint8Array.of(0, 255, 51, 102, 255, 51))
  countLevels(levels, Uint8Array.of(0, 255, 51, 102, 255, 51))
  const { mean, std, max, q50, count } = pictureStatistics(levels)
  expect(count).toEqual([2])
  expect((mean as number[][][]).flat(2)).toEqual([0.2, 1, 0.2].map((value) => expect.closeTo(value, 9)))
  expect((std as number[][][]).flat(2)).toEqual([0.2, 0, 0].map((value) => expect.closeTo(value, 9)))
  expect(max).toEqual([[[0.4]], [[1]], [[0.2]]])
  expect(q50).toEqual([[[expect.closeTo(0.2, 9)]], [[1]], [[0.2]]])
})
