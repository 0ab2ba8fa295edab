/** @file Robots side by side: who may act, and in which order. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Turns } from '../../src/loop/turns.ts'

describe('turns', () => {
  it('go round in the order of arrival, one at a time', async () => {
    const turns = new Turns()
    const acted: string[] = []
    let acting = 0
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        await turns.take()
        for (let i = 0; i < 3; i++) {
          expect(++acting).toBe(1)
          acted.push(name)
          await sleep(name === 'b' ? 3 : 0)
          acting--
          turns.give()
          await turns.take()
        }
        turns.give()
      }),
    )
    expect(acted.join('')).toBe('abcabcabc')
  })

  it('are free again once the last one has given theirs away', async () => {
    const turns = new Turns()
    await turns.take()
    turns.give()
    let taken = false
    await Promise.race([turns.take().then(() => (taken = true)), sleep(20)])
    expect(taken).toBe(true)
  })

  it('go on while one waits for something, who then stands behind the others again', async () => {
    const turns = new Turns()
    const order: string[] = []
    await turns.take()
    const other = turns.take().then(async () => {
      order.push('the other acts')
      await sleep(20)
      order.push('the other has acted')
      turns.give()
    })
    expect(await turns.during(sleep(5).then(() => 'what came'))).toBe('what came')
    order.push('the first acts again')
    expect(order).toEqual(['the other acts', 'the other has acted', 'the first acts again'])
    await other
    await expect(turns.during(Promise.reject(new Error('it failed')))).rejects.toThrow('it failed')
    turns.give() // the turn had come back with the error
    await turns.take()
  })
})
