import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
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
  const whole = await duetHere('log', 'check', demos)
  expect([whole.status, whole.stdout]).toEqual([0, 'segment-000001.duetlog: whole episodes: 3, their steps: 9, fine\n'])

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
  expect(readdirSync(demos)).toHaveLength(2)
  expect((await duetHere('log', 'check', demos)).stdout).toContain('whole episodes: 2, their steps: 6, fine')

  const nowhere = await duetHere('log', 'check', 'nowhere')
  expect([nowhere.status, nowhere.stderr]).toEqual([2, expect.stringMatching(/^nowhere: holds no log\. [^\n]+\n$/)])
})
