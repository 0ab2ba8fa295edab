/** @file The weights of a robot: what it acts with, and what its next process finds. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { WeightsFeed } from '../../src/fleet/weights-feed.ts'
import type { Published } from '../../src/link/ports.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-weights-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

const weights = (version: number): Published => ({ version, values: { head: Float32Array.of(version, 0.5) } })

/** A policy that has nothing but weights. */
function aFeed(file: string) {
  const acted: number[] = []
  const said: string[] = []
  const setParameters = (values: Record<string, Float32Array>) => acted.push(values.head![0]!)
  const feed = new WeightsFeed({ setParameters }, file, (line) => said.push(line))
  return { feed, acted, said }
}

it('act between two steps, the newest alone, and are there for the next process', () => {
  const file = join(root, 'weights.bin')
  const { feed, acted } = aFeed(file)
  expect(feed.ready).toBe(false)
  for (const version of [1, 2, 3]) feed.publish(weights(version))
  feed.takeUp()
  feed.takeUp()
  expect([acted, feed.version]).toEqual([[3], 3])
  feed.keep()
  const next = aFeed(file)
  expect([next.feed.ready, next.feed.version]).toEqual([true, 0])
  next.feed.takeUp()
  expect([next.acted, next.feed.version]).toEqual([[3], 3])
})

it('that the disk refuses are acted with all the same; it is said once, and again only after they were taken', () => {
  const { feed, acted, said } = aFeed(join(root, 'full.bin'))
  const full = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
  })
  feed.publish(weights(1))
  feed.keep()
  full.mockRestore()
  feed.takeUp()
  expect(acted).toEqual([1])
  expect(said).toEqual([expect.stringMatching(/not kept on this disk: .*full\.bin.*ENOSPC/)])
  feed.keep()
  expect(aFeed(join(root, 'full.bin')).feed.ready).toBe(true)
  fs.rmSync(join(root, 'full.bin'))
  fs.mkdirSync(join(root, 'full.bin'))
  feed.keep()
  expect(said).toHaveLength(2)
})
