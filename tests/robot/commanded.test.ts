/** @file Whoever ends the process stops every robot that it commands. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { command, stopAll } from '../../src/robot/commanded.ts'

it('all are told at once, and waited for, though one cannot be stopped; then nothing keeps the process', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const told: string[] = []
  const robot = (name: string, taken: () => Promise<void>) => ({
    stop: () => {
      told.push(name)
      return taken()
    },
  })
  const leave = [
    command(robot('broken', () => Promise.reject(new Error('no answer')))),
    command(robot('slow', () => sleep(30).then(() => void told.push('slow has stopped')))),
    command(robot('quick', async () => {})),
  ]
  const stopping = stopAll()
  expect(told).toEqual(['broken', 'slow', 'quick'])
  await stopping
  expect(told.at(-1)).toBe('slow has stopped')
  expect(timers()).toBe(before)
  for (const end of leave) end()
})

it('one that never answers holds nobody up for longer than the patience', async () => {
  const leave = command({ stop: () => new Promise<void>(() => {}) })
  const from = performance.now()
  await stopAll(50)
  expect(performance.now() - from).toBeGreaterThan(40)
  leave()
})

it('one that is commanded no longer is not told', async () => {
  let stops = 0
  const leave = command({ stop: async () => void stops++ })
  leave()
  const from = performance.now()
  await stopAll(5000)
  expect(stops).toBe(0)
  expect(performance.now() - from).toBeLessThan(1000) // nobody is waited for
})
