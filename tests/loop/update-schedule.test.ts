import { describe, expect, it } from 'vitest'
import type { Learned, Published } from '../../src/link/ports.ts'
import { UpdateSchedule } from '../../src/loop/update-schedule.ts'

/** A link whose learner makes what is asked at once, unless told otherwise, and publishes how much that is in all. */
function aLink(answer: (updates: number) => Promise<Partial<Learned>> = async () => ({})) {
  const asked: number[] = []
  const weights: { newest: Published | undefined } = { newest: undefined }
  const publish = (version: number) => (weights.newest = { version, values: { head: Float32Array.of(version) } })
  const learn = async (_: unknown, updates: number): Promise<Learned> => {
    asked.push(updates)
    const { made = updates, cut = 0 } = await answer(updates)
    const { version } = publish((weights.newest?.version ?? 0) + made)
    return { version, made, cut }
  }
  return { control: { learn }, weights, asked, publish }
}

const lockStep = (settings = {}) => ({ updatesPerStep: 0.3, publishEvery: 10, updatesAsked: 0, ...settings })

describe('the tempo of lock-step', () => {
  it('counts the steps of all robots, and hands on a block of updates at the next publication', async () => {
    const link = aLink()
    const applied: number[] = []
    const tempo = new UpdateSchedule(link, 0, lockStep(), ({ head }) => applied.push(head![0]!))
    for (let tick = 0; tick < 15; tick++) for (const _robot of ['A', 'B']) await tempo.step()
    expect(link.asked).toEqual([3, 3, 3]) // 0.3 for each of 30 steps, in 15 periods of 100 ms
    expect(applied).toEqual([3, 6])
    await tempo.settle()
    expect(applied).toEqual([3, 6, 9])
    expect(tempo.updatesAsked).toBe(9)
  })

  it('asks for no update before it is due, and for none twice', async () => {
    const link = aLink()
    const tempo = new UpdateSchedule(link, 0, lockStep({ updatesPerStep: 0.25 }), () => {})
    for (let step = 0; step < 60; step++) await tempo.step()
    expect(link.asked).toEqual([2, 3, 2, 3, 2, 3]) // floor of 2.5, 5, 7.5, 10, 12.5, 15, less what was asked before
  })

  it('goes on where an earlier part of the run stopped', async () => {
    const link = aLink()
    const tempo = new UpdateSchedule(link, 47, lockStep({ updatesAsked: 12 }), () => {})
    for (let step = 0; step < 13; step++) await tempo.step()
    expect(link.asked).toEqual([3, 3]) // floor(0.3 · 50) - 12, floor(0.3 · 60) - 15
  })

  it('keeps updates that a pause cut off due', async () => {
    const link = aLink(async (updates) => ({ made: 1, cut: updates - 1 }))
    const tempo = new UpdateSchedule(link, 0, lockStep(), () => {})
    for (let step = 0; step < 10; step++) await tempo.step()
    await tempo.settle()
    expect(tempo.updatesAsked).toBe(1)
  })

  it('tells of a lost learner where the block is awaited, and leaves no rejection that nobody hears', async () => {
    const stray: unknown[] = []
    const hear = (error: unknown) => stray.push(error)
    process.on('unhandledRejection', hear)
    const link = aLink(() => Promise.reject(new Error('the learner is gone')))
    const tempo = new UpdateSchedule(link, 0, lockStep(), () => {})
    for (let step = 0; step < 10; step++) await tempo.step()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(stray).toEqual([])
    await expect(tempo.settle()).rejects.toThrow('the learner is gone')
    process.off('unhandledRejection', hear)
  })
})

describe('the tempo of free mode', () => {
  it('takes up what was published last, once, between two steps', async () => {
    const link = aLink()
    const applied: number[] = []
    const tempo = new UpdateSchedule(link, 0, undefined, ({ head }) => applied.push(head![0]!))
    await tempo.step()
    expect(applied).toEqual([])
    link.publish(50)
    link.publish(100)
    await tempo.step()
    await tempo.step()
    link.publish(150)
    expect(applied).toEqual([100])
    await tempo.step()
    expect(applied).toEqual([100, 150])
    expect([link.asked, tempo.updatesAsked]).toEqual([[], 0])
  })
})
