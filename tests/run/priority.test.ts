/** @file Who comes first on the cores: on Linux the thread of the loop, and no thread that was there before. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { comeFirst } from '../../src/run/priority.ts'

/** A process with a thread: prints the niceness of its main thread and of all others, before, while and after it comes first. */
const SCRIPT = `
import { readdirSync, readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { comeFirst } from '${fileURLToPath(new URL('../../src/run/priority.ts', import.meta.url))}'
const worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
await new Promise((there) => worker.once('online', there))
const niceness = () => Object.fromEntries(readdirSync('/proc/self/task').map((thread) =>
  [thread, Number(readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').split(') ')[1].split(' ')[16])]))
const told = [niceness()]
const { refused, back } = comeFirst()
told.push(niceness())
back()
told.push(niceness())
console.log(JSON.stringify({ pid: process.pid, refused, told }))
process.exit()
`

describe.runIf(process.platform === 'linux')('the loop', () => {
  it('comes before its own other threads, until it goes back', () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', SCRIPT], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    const { pid, refused, told } = JSON.parse(stdout)
    const [before, first, after] = told
    const expected = refused ? before[pid] : Math.min(before[pid], -15)
    expect(first[pid]).toBe(expected)
    expect(Object.keys(before).length).toBeGreaterThan(2)
    for (const [thread, niceness] of Object.entries(before))
      if (thread !== String(pid)) expect(first[thread] ?? niceness).toBe(niceness)
    expect(after[pid]).toBe(before[pid])
  })

  it('stays where it is if its user may not, and says why', () => {
    const refusing = () => {
      throw Object.assign(new Error('no'), { code: 'EACCES' })
    }
    const { refused, back } = comeFirst(refusing)
    expect(refused).toBe('EACCES')
    expect(back).not.toThrow()
  })
})
