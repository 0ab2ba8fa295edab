/** @file Play: what it covers, what it must never do, and that its frames say what MuJoCo says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Looks } from '../../src/pretrain/looks.ts'
import { collectPlay, type PlayCell, type PlayFrame, playCells } from '../../src/pretrain/play-data.ts'
import { playStart } from '../../src/pretrain/play-start.ts'
import { TARGET_WIDTH, targetOffset } from '../../src/pretrain/targets.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { TASKS } from '../../src/robots/workcell/tasks/index.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'

const reading = ({ targets }: PlayFrame, name: string) => [
  ...targets.subarray(targetOffset(name), targetOffset(name) + 3),
]
const held = ({ targets }: PlayFrame) => targets[targetOffset('held')] === 1

describe('play', () => {
  let cells: PlayCell[]
  let frames: PlayFrame[]
  beforeAll(async () => {
    cells = await playCells()
    frames = await collectPlay(cells, 1200, 0.15, new RandomStream(5, 'play'))
  })
  afterAll(() => {
    for (const { workcell } of cells) workcell.free()
  })

  it('covers held and free bolts, all three fixtures, and bounded actions', () => {
    const share = frames.filter(held).length / frames.length
    expect(share).toBeGreaterThan(0.25)
    expect(share).toBeLessThan(0.75)
    for (const fixture of ['stand', 'slot', 'cradle']) {
      const near = frames.filter((frame) => {
        const [tip, hole] = [reading(frame, 'tip'), reading(frame, fixture)]
        // the cradle leans by 45 degrees: there the tip lies 14 mm beside the opening
        return (
          Math.hypot(tip[0]! - hole[0]!, tip[1]! - hole[1]!) < (fixture === 'cradle' ? 0.02 : 0.012) &&
          tip[2]! < hole[2]! - 0.005
        )
      })
      expect(near.length / frames.length, fixture).toBeGreaterThan(0.04)
    }
    for (const { action } of frames) expect(Math.max(...action.map(Math.abs))).toBeLessThanOrEqual(1)
  })

  it('never says a task instruction', () => {
    const tasks = Object.values(TASKS).map(({ instruction }) => instruction)
    for (const { instruction } of frames) expect(tasks).not.toContain(instruction)
  })

  it('does not put a bolt into stand or slot, nor take it out, but for rare accidents of the noise', () => {
    const episodes: PlayFrame[][] = []
    for (const frame of frames) {
      const last = episodes.at(-1)
      const moved = last ? reading(frame, 'stand').map((x, i) => Math.abs(x - reading(last[0]!, 'stand')[i]!)) : [1]
      if (last && Math.max(...moved) < 1e-9) last.push(frame)
      else episodes.push([frame])
    }
    const accidents = { in: 0, out: 0 }
    for (const episode of episodes)
      for (const hole of ['stand', 'slot']) {
        let was: 'deep' | 'above' | 'elsewhere' = 'elsewhere' // where the held bolt's tip was last
        for (const frame of episode) {
          const [x, y, height] = reading(frame, `tip from ${hole}`) as [number, number, number]
          const over = held(frame) && Math.hypot(x, y) < 0.015
          if (over && height < -0.012) {
            if (was === 'above') accidents.in++
            was = 'deep'
          } else if (over && height > 0.002) {
            if (was === 'deep') accidents.out++
            was = 'above'
          } else if (!over) was = 'elsewhere'
        }
      }
    expect(episodes.length).toBeGreaterThan(35)
    expect(accidents.in).toBe(0)
    expect(accidents.out / episodes.length).toBeLessThan(0.05)
  })

  it('reads relative places as differences of absolute ones, from a tool that the proprioception places', () => {
    for (const frame of frames.slice(0, 50)) {
      expect(frame.targets.length).toBe(TARGET_WIDTH)
      const tool = reading(frame, 'tip').map((x, i) => x - reading(frame, 'tip from tool')[i]!)
      for (const i of [0, 1, 2]) expect(tool[i]).toBeCloseTo(frame.proprio[i]!, 5)
      const length = Math.hypot(...reading(frame, 'tip').map((x, i) => x - reading(frame, 'head')[i]!))
      expect(length).toBeCloseTo(0.066, 4) // 56 mm shaft, 10 mm head
    }
  })

  it('renders a frame without looks exactly as the workcell shows it', async () => {
    const seeing = await Workcell.create()
    const start = playStart(new RandomStream(9, 'start'), 1, 0, 0)
    seeing.setScene(start)
    const cell = cells[0]!
    cell.workcell.begin('place', { bolt: 0 })
    cell.workcell.setScene(start)
    const { geomPosition, geomRotation } = cell.workcell.world.views
    const frame = {
      ...frames[0]!,
      cell: 0,
      bolt: 0,
      positions: Float32Array.from(geomPosition),
      rotations: Float32Array.from(geomRotation),
      hand: cell.workcell.world.hand(),
    }
    const looks = new Looks(cells)
    const varied = looks.render(frame, new RandomStream(2, 'looks'))
    const plain = looks.render(frame)
    const { images } = seeing.observeSync()
    for (const camera of ['front', 'wrist'] as const) {
      // poses are kept in single precision: a few edge pixels may fall on the other side
      const different = plain[camera].data.filter((byte, i) => byte !== images[camera]!.data[i]).length
      expect(different / plain[camera].data.length).toBeLessThan(0.002)
      expect(varied[camera].data.length).toBe(plain[camera].data.length)
    }
    seeing.free()
  })

  it('varies colours, light and cameras when asked to', () => {
    const looks = new Looks(cells)
    const random = new RandomStream(4, 'looks')
    const plain = looks.render(frames[0]!).front.data
    const shares = Array.from({ length: 12 }, () => {
      const { data } = looks.render(frames[0]!, random).front
      return data.filter((byte, i) => byte !== plain[i]).length / data.length
    })
    expect(shares.some((share) => share === 0)).toBe(true) // half stay plain
    expect(shares.some((share) => share > 0.5)).toBe(true)
    expect(looks.render(frames[0]!).front.data).toEqual(plain)
  })
})
