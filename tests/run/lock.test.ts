import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lock } from '../../src/run/lock.ts'
import { temporaryFolder } from '../studies/fabricated.ts'

const folder = temporaryFolder()
const file = join(folder, 'process.lock')

it('a folder that a living process holds is refused until it is given back', () => {
  const release = lock(folder)
  expect(() => lock(folder)).toThrow(`process ${process.pid} works on it`)
  release()
  expect(existsSync(file)).toBe(false)
  lock(folder)()
})

it('what a killed process left behind does not hold', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']) // has ended by now
  writeFileSync(file, String(pid))
  lock(folder)()
  expect(existsSync(file)).toBe(false)
})
