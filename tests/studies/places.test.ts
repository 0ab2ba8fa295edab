import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Places } from '../../src/studies/places.ts'

it('never holds more than there are places, first come, first served, whoever failed before', async () => {
  const places = new Places(2)
  const order: number[] = []
  let [inside, most] = [0, 0]
  const visit = (number: number) =>
    places.hold(async () => {
      order.push(number)
      most = Math.max(most, ++inside)
      await sleep(1)
      inside--
      if (number === 1) throw new Error('one failed')
    })
  await Promise.allSettled([0, 1, 2, 3].map(visit))
  await Promise.allSettled([4, 5, 6, 7].map(visit)) // places that were handed on are not counted twice
  expect(most).toBe(2)
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})
