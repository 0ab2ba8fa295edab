/**
 * @file A log of version 1, laid out by hand: what an older Duet wrote stays readable, and means what it meant. Its
 * checksums are zlib's, computed elsewhere.
 */
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type LoggedEpisode, readEpisodes } from '../../src/replay/index.ts'
import { aFolder } from './scenes.ts'

const hex = (...digits: string[]) => Buffer.from(digits.join('').replaceAll(' ', ''), 'hex')

/** A length of four bytes, little-endian as every number, then the text. */
function text(value: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(value.length)
  return Buffer.concat([length, Buffer.from(value)])
}

/** "DUET", length, CRC-32 of length and payload, payload. */
function record(crc: string, ...pieces: Buffer[]): Buffer {
  const payload = Buffer.concat(pieces)
  return Buffer.concat([Buffer.from('DUET'), hex(payload.length.toString(16), '00 00 00'), hex(crc), payload])
}

/** Time, one entry of proprio, and one pixel as it is (codec 0, 3 bytes). */
const observation = (time: string, x: string, pixel: string) => hex(time, x, '00 03000000', pixel)

const [ZERO, HALF, ONE, MINUS_HALF, MINUS_ONE] = ['00000000', '0000003f', '0000803f', '000000bf', '000080bf']
const [NEVER, ALWAYS] = ['0000000000000000', '000000000000f03f'] // rewards 0 and 1, float64

const log = Buffer.concat([
  record(
    'cd91bc42',
    hex('00'),
    text(
      '{"format":"duet-log","version":1,"robot":{"name":"arm","cameras":{"front":{"width":1,"height":1}},' +
        '"proprio":["x [m]"],"actionScale":{"translation":0.01,"rotation":0.1}},"nextId":40,"nextEpisode":3}',
    ),
  ),
  record(
    '1d73a30c',
    hex('01'),
    text('{"episode":3,"task":"pick","source":"online","seed":7}'),
    observation('0000000000000000', '0000803e', '0a 14 1e'), // 0 s, 0.25
  ),
  record(
    '3cba6d0e',
    hex('02', '0000000000004440', '03000000', '00000000'), // id 40, episode 3, step 0
    hex('00', NEVER), // neither terminated nor truncated; actor 0
    hex(HALF, ZERO, ZERO, ZERO, ZERO, ZERO, MINUS_ONE),
    text('null'),
    observation('9a9999999999b93f', HALF, '0b 15 1f'), // 0.1 s
  ),
  record(
    '2386d679',
    hex('02', '0000000000804440', '03000000', '01000000'), // id 41, step 1
    hex('04', NEVER), // actor 1
    hex(ZERO, MINUS_HALF, ZERO, ZERO, ZERO, ZERO, MINUS_ONE),
    text('"move left"'),
    observation('9a9999999999c93f', '0000403f', '0c 16 20'), // 0.2 s, 0.75
  ),
  record(
    '8013a68b',
    hex('02', '0000000000004540', '03000000', '02000000'), // id 42, step 2
    hex('09', ALWAYS), // terminated; actor 2
    hex(ZERO, ZERO, ONE, ZERO, ZERO, '0000003e', ONE), // 0.125
    text('null'),
    observation('333333333333d33f', ONE, '0d 17 21'), // 0.3 s
  ),
  record('82781596', hex('03'), text('{"episode":3,"ending":"success"}')),
])

let folder = ''
let episodes: LoggedEpisode[] = []
beforeAll(() => {
  folder = aFolder()
  fs.writeFileSync(path.join(folder, 'segment-000001.duetlog'), log)
  episodes = [...readEpisodes(folder)]
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

it('reads the episode of a log of version 1: its start, its end, its observations', () => {
  expect(episodes).toHaveLength(1)
  const { start, end, observations } = episodes[0]!
  expect(start).toEqual({ episode: 3, task: 'pick', source: 'online', seed: 7 })
  expect(end).toMatchObject({ ending: 'success' })
  expect(observations).toMatchObject([
    {
      time: 0,
      proprio: Float32Array.of(0.25),
      images: { front: { width: 1, height: 1, data: Uint8Array.of(10, 20, 30) } },
    },
    { time: 0.1, proprio: Float32Array.of(0.5), images: { front: { data: Uint8Array.of(11, 21, 31) } } },
    { time: 0.2, proprio: Float32Array.of(0.75), images: { front: { data: Uint8Array.of(12, 22, 32) } } },
    { time: 0.3, proprio: Float32Array.of(1), images: { front: { data: Uint8Array.of(13, 23, 33) } } },
  ])
})

it('knows who acted at each step of it, what was done and said, and what came of it', () => {
  const going = { reward: 0, terminated: false, truncated: false }
  expect(episodes[0]!.steps).toMatchObject([
    { id: 40, step: 0, actor: 'primary', action: Float32Array.of(0.5, 0, 0, 0, 0, 0, -1), command: null, ...going },
    {
      id: 41,
      step: 1,
      actor: 'refinement',
      action: Float32Array.of(0, -0.5, 0, 0, 0, 0, -1),
      command: 'move left',
      ...going,
    },
    {
      ...{ id: 42, step: 2, actor: 'operator', action: Float32Array.of(0, 0, 1, 0, 0, 0.125, 1), command: null },
      ...{ reward: 1, terminated: true, truncated: false },
    },
  ])
})
