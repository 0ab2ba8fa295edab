/** @file Flushing and renaming: disks that cannot flush are put up with, disks that fail are not. */
import fs from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { moveInPlace, syncFile, syncFolder, syncHandle, writeWhole } from '../../src/durable.ts'
import { writeSafetensors } from '../../src/formats/safetensors.ts'
import { EpisodeLog, readEpisodes } from '../../src/replay/index.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import { aRobot, episodeOf, record } from '../replay/scenes.ts'

/** What WSL's drives, SMB, sshfs, Windows and old kernels answer to the fsync of a folder. */
const REFUSALS = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EACCES', 'EISDIR', 'EBADF', 'ENOSYS']
const FAILURES = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS']

let folder = ''
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'duet-durable-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  fs.rmSync(folder, { recursive: true })
})

const refusing = (code: string) => Object.assign(new Error(`${code}: no, fsync`), { code })

/** A disk whose folders, or whose files too, answer `code` to fsync. */
function disk(code: string, what: 'folders' | 'all' = 'folders') {
  const real = fs.fsyncSync
  vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
    if (what === 'all' || fs.fstatSync(fd).isDirectory()) throw refusing(code)
    real(fd)
  })
}

describe('a folder that cannot be flushed', () => {
  it.each(REFUSALS)('is put up with where it says %s', (code) => {
    disk(code)
    expect(syncFolder(folder)).toBe(false)
    fs.writeFileSync(join(folder, 'draft'), 'x')
    expect(moveInPlace(join(folder, 'draft'), join(folder, 'final'))).toBe(false)
    expect(fs.readdirSync(folder)).toEqual(['final'])
  })

  it.each(FAILURES)('is an error in a line where it says %s', (code) => {
    disk(code)
    expect(() => syncFolder(folder)).toThrow(`${folder}: did not reach the disk (${code}: no, fsync). `)
  })

  it('may refuse to be opened', () => {
    vi.spyOn(fs, 'openSync').mockImplementation(() => {
      throw refusing('EISDIR')
    })
    expect(syncFolder(folder)).toBe(false)
  })

  it.each(['EINVAL', 'EPERM'])('stops neither runs, logs nor checkpoints (%s)', async (code) => {
    disk(code)
    const run = RunFolder.create(join(folder, 'run'), resolveConfig('tiny'), 'duet train')
    await run.saveCheckpoint(1, 3, async (directory) => {
      const x = { dtype: 'F32', shape: [1], data: Float32Array.of(1) } as const
      await writeSafetensors(join(directory, 'x.safetensors'), { x })
      return 2
    })
    expect(fs.readdirSync(run.latestCheckpoint()!)).toEqual(['x.safetensors'])
    const log = EpisodeLog.open(run.log, aRobot())
    record(log, episodeOf(1, 3))
    log.close()
    expect(log.flushes).toBe(false)
    expect([...readEpisodes(run.log, aRobot())]).toEqual([episodeOf(1, 3)])
  })
})

describe('a file', () => {
  it.each(['EINVAL', 'ENOTSUP', 'ENOSYS'])('of a disk that cannot flush at all is written (%s)', (code) => {
    disk(code, 'all')
    writeWhole(join(folder, 'a'), 'new')
    expect(fs.readFileSync(join(folder, 'a'), 'utf8')).toBe('new')
  })

  it('that did not reach the disk is an error, and the old one stays, alone', () => {
    writeWhole(join(folder, 'a'), 'old')
    for (const code of ['EIO', 'ENOSPC', 'EBADF']) {
      disk(code, 'all')
      expect(() => writeWhole(join(folder, 'a'), 'new')).toThrow(`did not reach the disk (${code}`)
      vi.restoreAllMocks()
    }
    expect(fs.readdirSync(folder)).toEqual(['a'])
    expect(fs.readFileSync(join(folder, 'a'), 'utf8')).toBe('old')
  })

  it('for which there is no room is an error in a line, and the old one stays, alone', () => {
    writeWhole(join(folder, 'a'), 'old')
    vi.spyOn(fs, 'writeFileSync').mockImplementation(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    })
    expect(() => writeWhole(join(folder, 'a'), 'new')).toThrow(/a: cannot be written \(ENOSPC.*free space$/)
    expect(fs.readdirSync(folder)).toEqual(['a'])
  })

  it('is flushed, and so is the folder that takes its name', async () => {
    const flushed: string[] = []
    const real = fs.fsyncSync
    vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
      flushed.push(fs.fstatSync(fd).isDirectory() ? 'folder' : 'file')
      real(fd)
    })
    writeWhole(join(folder, 'a'), 'x')
    expect(flushed).toEqual(['file', 'folder'])
    const file = await open(join(folder, 'a'), 'r+')
    expect([syncFile(file.fd, 'a'), await syncHandle(file, 'a')]).toEqual([true, true])
    vi.spyOn(file, 'sync').mockRejectedValue(refusing('ENOSYS'))
    expect(await syncHandle(file, 'a')).toBe(false)
    vi.spyOn(file, 'sync').mockRejectedValue(refusing('EIO'))
    await expect(syncHandle(file, 'a')).rejects.toThrow('a: did not reach the disk (EIO')
    await file.close()
  })
})
