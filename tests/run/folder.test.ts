import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findCheckpoint, RunFolder } from '../../src/run/folder.ts'
import { resolveConfig } from '../../src/run/resolve.ts'

const place = () => join(mkdtempSync(join(tmpdir(), 'duet-run-')), 'a-run')
const aCheckpoint = (text: string, updates: number) => async (directory: string) => {
  writeFileSync(join(directory, 'policy.safetensors'), text)
  return updates
}

describe('the folder of a run', () => {
  it('keeps the resolved config, which opens again as it was', () => {
    const config = resolveConfig('tiny')
    const { path } = RunFolder.create(place(), config)
    expect(RunFolder.open(path).config).toEqual(config)
  })

  it('is not overwritten by another run', () => {
    const { path } = RunFolder.create(place(), resolveConfig('tiny'))
    expect(() => RunFolder.create(path, resolveConfig('quick'))).toThrow('already holds a run')
  })

  it('names an unknown setting in a config that someone edited', () => {
    const { path, config } = RunFolder.create(place(), resolveConfig('tiny'))
    writeFileSync(config, readFileSync(config, 'utf8').replace('batch:', 'bacth:'))
    expect(() => RunFolder.open(path)).toThrow(/config\.yaml: unknown setting "learner\.bacth"/)
  })

  it('opens a run of an earlier version, but for one that was trained by a setting which is gone: that is named', () => {
    const made = resolveConfig('tiny')
    const { path, config } = RunFolder.create(place(), made)
    const text = readFileSync(config, 'utf8').replace(/^ {2}clones: .*\n/m, '')
    const earlier = (scale: string) =>
      writeFileSync(config, text.replace('learner:\n', `learner:\n  advantageScale: ${scale}\n`))
    earlier('0')
    expect(RunFolder.open(path).config).toEqual(made) // what it does not say it did not know: all is cloned
    earlier('0.05')
    expect(() => RunFolder.open(path)).toThrow(/config\.yaml: has learner\.advantageScale = 0\.05/)
  })

  it('finds the newest whole checkpoint, not a draft that a kill left behind', async () => {
    const folder = RunFolder.create(place(), resolveConfig('tiny'))
    await folder.saveCheckpoint(0, 3, aCheckpoint('first', 250))
    await folder.saveCheckpoint(300, 3, aCheckpoint('second', 400))
    mkdirSync(join(folder.checkpoints, '.draft-step-00000900-update-00000700'))
    const { checkpoint, run } = findCheckpoint(folder.path)
    expect(readFileSync(join(checkpoint, 'policy.safetensors'), 'utf8')).toBe('second')
    expect(run).toBe(folder.path)
  })

  it('keeps the earlier checkpoint when writing the next one fails', async () => {
    const folder = RunFolder.create(place(), resolveConfig('tiny'))
    await folder.saveCheckpoint(0, 3, aCheckpoint('first', 250))
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    })
    const failing = async (directory: string) => {
      await aCheckpoint('half', 260)(directory)
      throw full
    }
    await expect(folder.saveCheckpoint(10, 3, failing)).rejects.toThrow('no space left on device (ENOSPC). Make room')
    expect(findCheckpoint(folder.path).checkpoint).toMatch(/step-00000000-update-00000250$/)
    expect(readdirSync(folder.checkpoints)).toEqual(['step-00000000-update-00000250']) // no draft is left
  })

  it('sweeps away what a process that was killed had begun', async () => {
    const folder = RunFolder.create(place(), resolveConfig('tiny'))
    mkdirSync(join(folder.checkpoints, '.draft-step-00000900'))
    await folder.saveCheckpoint(0, 3, aCheckpoint('first', 250))
    expect(readdirSync(folder.checkpoints)).toEqual(['step-00000000-update-00000250'])
  })

  it('drops all but the newest three checkpoints', async () => {
    const folder = RunFolder.create(place(), resolveConfig('tiny'))
    for (const step of [1, 2, 3, 4, 5]) await folder.saveCheckpoint(step, 3, aCheckpoint(String(step), step))
    expect(readdirSync(folder.checkpoints).sort()).toEqual([3, 4, 5].map((n) => `step-0000000${n}-update-0000000${n}`))
  })

  it('says what to give when there is no checkpoint', () => {
    const missing = join(tmpdir(), 'duet-nowhere')
    expect(existsSync(missing)).toBe(false)
    expect(() => findCheckpoint(missing)).toThrow('Give a run folder or one of its checkpoints')
  })
})

it('an owner removes what a killed one had half written, and nothing else', () => {
  const folder = RunFolder.create(place(), resolveConfig('tiny'))
  const drafts = [
    join(folder.checkpoints, '.draft-step-00000900-update-00000700'),
    join(folder.log, 'segment.draft'),
    join(folder.log, 'B', 'segment-000001.duetlog.draft'),
    `${folder.config}.draft`,
  ]
  for (const draft of drafts) mkdirSync(draft, { recursive: true })
  const others = ['config.yaml', 'history.json', 'log/B', 'checkpoints'].map((name) => join(folder.path, name))
  folder.sweep()
  expect(drafts.filter(existsSync)).toEqual([])
  expect(others.filter(existsSync)).toEqual(others)
})

it('has its folders again where a copy left them out because they were empty', async () => {
  const folder = RunFolder.create(place(), resolveConfig('tiny'))
  const empty = [folder.checkpoints, folder.frames]
  for (const directory of empty) rmSync(directory, { recursive: true })
  folder.sweep()
  expect(empty.filter(existsSync)).toEqual(empty)
})
