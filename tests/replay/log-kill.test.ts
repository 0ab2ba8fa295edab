import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { RandomStream } from '../../src/random/stream.ts'
import { readEpisodes } from '../../src/replay/index.ts'
import { bundled } from '../bundled.ts'
import { expectSame } from './same.ts'
import { aFolder, aRobot, episodeOf, interrupted } from './scenes.ts'

const ROUNDS = 6

/** Runs the writer, kills it `afterMs` from its first step on, and returns the last step that it called written. */
function killed(writer: string, folder: string, afterMs: number): Promise<{ episode: number; step: number }> {
  const child = spawn(process.execPath, [writer, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), afterMs))
  child.stdout.on('data', (text) => {
    said += text
  })
  return new Promise((resolve) =>
    child.on('close', () => {
      const [episode, step] = said.trimEnd().split('\n').at(-1)!.split('/').map(Number)
      resolve({ episode: episode!, step: step! })
    }),
  )
}

it('a writer killed at random moments has lost no step that it called written (peer: every episode collected)', async () => {
  const [folder, place] = [aFolder(), aFolder()]
  const writer = bundled(path.join(import.meta.dirname, 'log-writer.ts'), path.join(place, 'log-writer.cjs'))
  const random = new RandomStream(20, 'kill')
  for (let round = 0; round < ROUNDS; round++) {
    const { episode, step } = await killed(writer, folder, random.integer(150))
    const found = [...readEpisodes(folder, aRobot())]
    const last = found.find(({ start }) => start.episode === episode)!
    expect(last.steps.length).toBeGreaterThanOrEqual(step + 1)
    // never more than the step in flight beyond it, and all that is there is as it was written
    expect(found.at(-1)!.start.episode).toBeLessThanOrEqual(episode + 1)
    for (const got of found) {
      const whole = episodeOf(got.start.episode, 12)
      expectSame(got, got.end.ending === 'success' ? whole : interrupted(whole, got.steps.length))
    }
    expect(found.map(({ start }) => start.episode)).toEqual(found.map((_, i) => i))
  }
  for (const each of [folder, place]) fs.rmSync(each, { recursive: true })
})
