import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { beforeNextFrame } from '../../src/console/web/parts/frame.ts'

describe('work for the screen', () => {
  let frames: FrameRequestCallback[] = []
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('requestAnimationFrame', (callback: FrameRequestCallback) => frames.push(callback))
    vi.stubGlobal('cancelAnimationFrame', (frame: number) => delete frames[frame - 1])
  })
  afterEach(() => {
    vi.runAllTimers()
    frames = []
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })
  const frame = () => {
    for (const callback of frames.splice(0)) callback?.(0) // a frame that was cancelled is a gap
  }

  it('is done once before the next frame, however often it was asked for, and again only when it is asked for again', () => {
    const [one, other] = [vi.fn(), vi.fn()]
    for (const work of [one, one, other, one]) beforeNextFrame(work)
    expect([one.mock.calls.length, other.mock.calls.length]).toEqual([0, 0])
    frame()
    expect([one.mock.calls.length, other.mock.calls.length]).toEqual([1, 1])
    vi.runAllTimers()
    frame()
    expect(one).toHaveBeenCalledTimes(1)
    beforeNextFrame(other)
    frame()
    expect([one.mock.calls.length, other.mock.calls.length]).toEqual([1, 2])
  })

  it('is done all the same, once, in a page that is not seen: no frame comes there', () => {
    const work = vi.fn()
    beforeNextFrame(work)
    vi.advanceTimersByTime(100)
    expect(work).toHaveBeenCalledTimes(1)
    frame()
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('is not done where it was taken back', () => {
    const work = vi.fn()
    beforeNextFrame(work)()
    frame()
    expect(work).not.toHaveBeenCalled()
  })
})
