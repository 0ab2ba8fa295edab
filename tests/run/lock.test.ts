import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { lock, lockedFolder } from '../../src/run/lock.ts'
import { bundled } from '../bundled.ts'
import { temporaryFolder } from '../studies/fabricated.ts'

let folder = ''
let file = ''
beforeEach(() => {
  folder = temporaryFolder()
  file = join(folder, 'process.lock')
})

/** The lock that this process takes, with some entries another's. */
function anotherLock(entries: object): void {
  rmSync(file, { force: true })
  const release = lock(folder)
  const ours = JSON.parse(readFileSync(file, 'utf8'))
  release()
  writeFileSync(file, JSON.stringify({ ...ours, ...entries }))
}
const ended = () => spawnSync(process.execPath, ['-e', '']).pid

let module = '' // of the lock, for other processes
beforeAll(() => {
  const source = fileURLToPath(new URL('../../src/run/lock.ts', import.meta.url))
  module = bundled(source, join(temporaryFolder(), 'lock.cjs'))
})
const node = (code: string) => spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })

/** A process that takes the folder, says so, and then does as it is told. */
async function taken(then: string) {
  const child = node(`const { lock } = require(${JSON.stringify(module)})
    lock(${JSON.stringify(folder)}); console.log('taken'); ${then}`)
  await once(child.stdout, 'data')
  return child
}
const WAITS = 'setInterval(() => {}, 1000)'

describe('a folder that a living process holds', () => {
  it('is refused in one line with process, host and since when, until it is given back', () => {
    const release = lock(folder)
    expect(() => lock(folder)).toThrow(
      new RegExp(
        `^\\S+: process ${process.pid} on ${hostname()} has been writing into it since \\d{4}-\\d\\d-\\d\\dT[^\n]+$`,
      ),
    )
    release()
    expect(readdirSync(folder)).toEqual([])
    lock(folder)()
  })

  it('of another host, or in another container, is refused, with what to delete if it has ended', () => {
    anotherLock({ host: 'another', pid: ended() })
    expect(() => lock(folder)).toThrow(`on another has been writing into it`)
    expect(() => lock(folder)).toThrow(`if it does not, delete ${file}`)
    anotherLock({ space: 'pid:[1]', pid: ended() })
    expect(() => lock(folder)).toThrow(`if it does not, delete ${file}`)
  })

  it('is not given to one that sees an empty lock just being written', () => {
    writeFileSync(file, '')
    expect(() => lock(folder)).toThrow('Try again in a moment')
    utimesSync(file, 1e9, 1e9) // of long ago: a power cut emptied it
    lock(folder)()
  })
})

describe('what is left behind', () => {
  it('by a killed process is taken over', async () => {
    const child = await taken(WAITS)
    expect(() => lock(folder)).toThrow(`process ${child.pid} `)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(existsSync(file)).toBe(true)
    lock(folder)()
    expect(readdirSync(folder)).toEqual([])
  })

  it.each(['process.exit(3)', 'throw new Error("a bug")', ''])(
    'by a process that ends with "%s" is nothing',
    async (way) => {
      const child = await taken(
        way.startsWith('throw') ? `process.on('uncaughtException', () => process.exit(1)); ${way}` : way,
      )
      if (child.exitCode === null) await once(child, 'exit')
      expect(readdirSync(folder)).toEqual([])
    },
  )

  it('by a process whose number another one has now is taken over', () => {
    anotherLock({ started: 'at another time' })
    lock(folder)()
    expect(existsSync(file)).toBe(false)
  })

  it('is taken over by one of those that find it at the same moment', async () => {
    anotherLock({ started: 'at another time' })
    const code = `const { existsSync } = require('node:fs')
      const { lock } = require(${JSON.stringify(module)})
      console.log('ready')
      while (!existsSync(${JSON.stringify(join(folder, 'go'))}));
      try { lock(${JSON.stringify(folder)}); console.log('taken') } catch { console.log('refused') }
      ${WAITS}`
    const children = [1, 2, 3].map(() => node(code))
    const said = async (child: (typeof children)[number]) => String((await once(child.stdout, 'data'))[0]).trim()
    expect(await Promise.all(children.map(said))).toEqual(['ready', 'ready', 'ready'])
    const answers = Promise.all(children.map(said))
    writeFileSync(join(folder, 'go'), '')
    expect((await answers).sort()).toEqual(['refused', 'refused', 'taken'])
    for (const child of children) child.kill('SIGKILL')
  }, 60_000)

  it('by a former version, a mere number, is understood', () => {
    writeFileSync(file, String(ended()))
    lock(folder)()
    writeFileSync(file, String(process.pid))
    expect(() => lock(folder)).toThrow(`process ${process.pid} `)
  })
})

it('giving back leaves a lock that somebody else has put there', () => {
  const release = lock(folder)
  writeFileSync(file, 'of another')
  release()
  expect(readFileSync(file, 'utf8')).toBe('of another')
})

it('demonstrations and logs in a run are under its lock, others under their own', () => {
  const log = join(folder, 'log', 'B')
  mkdirSync(log, { recursive: true })
  expect(lockedFolder(log)).toBe(log)
  writeFileSync(join(folder, 'config.yaml'), '')
  for (const within of [folder, join(folder, 'demonstrations'), log]) expect(lockedFolder(within)).toBe(folder)
})
