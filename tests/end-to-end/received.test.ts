/** @file What a proof in real time says of the commands that its robot received, by hand. */
import { expect, it } from 'vitest'
import { jitterAsReceived } from '../../scripts/end-to-end/received.ts'

const go = (at: number) => ({ at, motion: true })
const stay = (at: number) => ({ at, motion: false })
const WINDOW = [{ from: 1000, to: 2000 }]

it('holds each interval against the period, early or late', () => {
  expect(jitterAsReceived([go(1000), go(1103), go(1198)], WINDOW)).toEqual([3, 5])
})

it('takes steps that ask the arm to stay for commands in time, not for missing ones', () => {
  expect(jitterAsReceived([go(1000), stay(1102), go(1201)], WINDOW)).toEqual([2, 1])
  expect(jitterAsReceived([go(1000), stay(1100), stay(1201), go(1300)], WINDOW)).toEqual([0, 1, 1])
})

it('misses no command where the arm is asked to go on staying, which sends nothing; where it is to move, it does', () => {
  expect(jitterAsReceived([go(1000), stay(1100), go(1303)], WINDOW)).toEqual([0, 3])
  expect(jitterAsReceived([go(1000), go(1203)], WINDOW)).toEqual([103])
})

it('takes no stop for a step: the one that ends an episode, or after which a scene is laid', () => {
  expect(jitterAsReceived([go(1000), go(1101), stay(1164)], WINDOW)).toEqual([1])
  expect(jitterAsReceived([go(1000), stay(1064), stay(1065), go(1700), go(1802)], WINDOW)).toEqual([2])
})

it('counts nothing outside of practice', () => {
  expect(jitterAsReceived([go(900), go(1000), go(1101), go(2050)], WINDOW)).toEqual([1])
})

it('joins no two windows', () => {
  const windows = [...WINDOW, { from: 2050, to: 3000 }]
  expect(jitterAsReceived([go(1900), go(2000), go(2060), go(2161)], windows)).toEqual([0, 1])
})
