/** @file The strip of pictures that an episode leaves behind. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { afterAll, expect, it } from 'vitest'
import { FilmRecorder } from '../../src/loop/film-recorder.ts'
import type { EpisodeSummary, Happening } from '../../src/loop/happening.ts'
import type { Image, Observation } from '../../src/robot/robot.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-film-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SIZE = 4
const ending = { ending: 'success' } as EpisodeSummary
const grey = (level: number): Image => ({
  ...{ width: SIZE, height: SIZE, data: new Uint8Array(3 * SIZE * SIZE).fill(level) },
})
const seen = (images: Record<string, Image>): Observation => ({ images, proprio: new Float32Array(0), time: 0 })

it('has eight moments in two rows, evenly spread from the first to the last, with all cameras of each', () => {
  const film = new FilmRecorder(folder, 'pick-3')
  const shown = { front: grey(0), wrist: grey(200) }
  film.begin('pick', 3, seen(shown))
  for (let step = 1; step <= 14; step++) {
    shown.front.data.fill(10 * step) // a camera that writes into one buffer
    film.step({} as Happening, seen(shown))
  }
  film.end(ending)
  const { width, height, data } = PNG.sync.read(readFileSync(join(folder, 'pick-3-success.png')))
  const levels: number[] = []
  for (let row = 0; row < 2; row++)
    for (let column = 0; column < 8; column++) {
      const x = Math.floor(((column + 0.5) * width) / 8)
      const y = Math.floor(((row + 0.5) * height) / 2)
      levels.push(data[4 * (y * width + x)]!)
    }
  const fronts = levels.filter((_, i) => i % 2 === 0)
  expect(fronts).toEqual([0, 20, 40, 60, 80, 100, 120, 140]) // of 0, 10, ... 140: every second
  expect(levels.filter((_, i) => i % 2 === 1)).toEqual(Array(8).fill(200))
})

it('is none of a robot without cameras', () => {
  const film = new FilmRecorder(folder, 'blind')
  film.begin('pick', 1, seen({}))
  film.step({} as Happening, seen({}))
  film.end(ending)
  expect(readdirSync(folder).filter((name) => name.startsWith('blind'))).toEqual([])
})
