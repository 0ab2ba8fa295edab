/** @file Processes that are kept running, when whoever keeps them ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const source = (name: string) => JSON.stringify(fileURLToPath(new URL(`../../src/${name}`, import.meta.url)))

/** As `duet fleet up` does: keeps a process that would go on for minutes, away from the terminal. */
const KEEPER = `
  import { spawn } from 'node:child_process'
  import { watchEnds } from ${source('cli/ends.ts')}
  import { KeptRunning } from ${source('fleet/kept-running.ts')}
  watchEnds()
  const kept = new KeptRunning({ onLine: () => {}, onStarted: (_, pid) => console.log(pid) })
  await kept.keep('sleeper', () => spawn('sleep', ['300'], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] }))
`

const lives = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)(
  'end with it, where %s ends it',
  async (signal, code) => {
    const keeper = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', KEEPER], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(keeper, 'exit')
    let pid = 0
    for await (const line of createInterface(keeper.stdout)) {
      pid = Number(line)
      break
    }
    expect(lives(pid)).toBe(true)
    keeper.kill(signal)
    expect(await ended).toEqual([code, null])
    for (let i = 0; i < 100 && lives(pid); i++) await sleep(20)
    const left = lives(pid)
    if (left) process.kill(pid)
    expect(left).toBe(false)
  },
  60_000,
)
