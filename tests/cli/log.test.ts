import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { Encodings } from '../../src/replay/encodings.ts'
import { EpisodeLog } from '../../src/replay/index.ts'
import { aRobot, episodeOf, record } from '../replay/scenes.ts'
import { duetHere } from './here.ts'

const program = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'duet-log-'))
afterAll(() => rmSync(place, { recursive: true }))

const duet = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { cwd: place, encoding: 'utf8' })

it('a damaged log is found with exit code 2, repaired, and then fine; what is no log is told so', async () => {
  const demos = join(place, 'demos')
  const log = EpisodeLog.open(demos, aRobot(8))
  for (const number of [1, 2, 3]) {
    const episode = episodeOf(number, 3, aRobot(8))
    const observations = episode.observations.map((one) => ({ ...one, proprio: Float32Array.of(1, 2, 3) }))
    record(log, { ...episode, observations })
  }
  log.close()
  const widths = { h: 1, proprio: 1, features: [1] }
  const copies = { count: 0, pixels: 0, seed: 0 }
  const kept = new Encodings(log.folder, { encoder: { name: 'nano', hash: 'abc' }, widths, copies })
  const sight = { h: Float32Array.of(1), proprio: Float32Array.of(2), features: [Float32Array.of(3)] }
  kept.keep({ episode: 1, step: 0, id: 0, sum: 7, instruction: '' }, sight)
  kept.close()
  const whole = await duetHere('log', 'check', demos)
  const fine = 'segment-000001.duetlog: whole episodes: 3, their steps: 9, fine'
  const beside = `${basename(kept.file)}: what nano made of observations: 1; may be deleted`
  expect([whole.status, whole.stdout]).toEqual([0, `${fine}\n${beside}\n`])

  const file = join(demos, 'segment-000001.duetlog')
  const bytes = readFileSync(file)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(file, bytes)
  const damaged = duet('log', 'check', 'demos', '--json')
  expect(damaged.status).toBe(2)
  expect(JSON.parse(damaged.stdout)).toMatchObject({
    whole: false,
    files: [{ episodes: 2, steps: 6, damage: [{ episode: 2, offset: expect.any(Number) }] }],
  })

  const repaired = await duetHere('log', 'repair', demos)
  expect([repaired.status, repaired.stderr]).toEqual([0, expect.not.stringContaining('    at ')])
  expect(repaired.stdout).toMatch(
    /damaged: episode 2, .*\n.*whole episodes, 2; as it was: segment-000001\.duetlog\.damaged-/,
  )
  expect(readdirSync(demos)).toHaveLength(3)
  expect((await duetHere('log', 'check', demos)).stdout).toContain('whole episodes: 2, their steps: 6, fine')

  const nowhere = await duetHere('log', 'check', 'nowhere')
  expect([nowhere.status, nowhere.stderr]).toEqual([2, expect.stringMatching(/^nowhere: holds no log\. [^\n]+\n$/)])
})
