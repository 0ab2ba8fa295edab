/**
 * @file The Hub's own cache on disk, shared with its other tools: `models--owner--name` with `blobs` (files by checksum),
 * `snapshots/<commit>` (their names, as links) and `refs` (revisions to commits).
 */
import { mkdirSync } from 'node:fs'
import { copyFile, link, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { moveInPlace, writeWhole } from '../../durable.ts'
import { isCommit, isRepository } from './repository.ts'

/** The repositories that a cache holds something of, as owner/name. */
export async function cachedRepositories(cache: string): Promise<string[]> {
  const names = await readdir(cache).catch(() => [])
  const ours = names.filter((name) => name.startsWith('models--'))
  return ours.map((name) => name.split('--').slice(1).join('/')).filter(isRepository)
}

export class RepositoryCache {
  private readonly folder: string

  constructor(cache: string, repository: string) {
    this.folder = join(cache, ['models', ...repository.split('/')].join('--'))
  }

  blob(checksum: string): string {
    return join(this.folder, 'blobs', checksum)
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit)
  }

  /** Of a revision that was fetched before. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision
    const text = await readFile(join(this.folder, 'refs', ...revision.split('/')), 'utf8').catch(() => '')
    return isCommit(text.trim()) ? text.trim() : undefined
  }

  /** All snapshots: that of `main` first, then the newest. */
  async commits(): Promise<string[]> {
    const names = (await readdir(join(this.folder, 'snapshots')).catch(() => [])).filter(isCommit)
    const dated = await Promise.all(
      names.map(async (name) => ({ name, at: (await stat(this.snapshot(name))).mtimeMs })),
    )
    const main = await this.commitOf('main')
    return dated
      .sort((a, b) => Number(b.name === main) - Number(a.name === main) || b.at - a.at)
      .map(({ name }) => name)
  }

  /** @throws InputError if the disk does not take it */
  remember(revision: string, commit: string): void {
    if (isCommit(revision)) return
    const path = join(this.folder, 'refs', ...revision.split('/'))
    mkdirSync(dirname(path), { recursive: true })
    writeWhole(path, commit)
  }

  /** Gives a blob its name in a snapshot. */
  async name(checksum: string, commit: string, path: string): Promise<void> {
    const blob = this.blob(checksum)
    const named = join(this.snapshot(commit), path)
    await mkdir(dirname(named), { recursive: true })
    await rm(named, { force: true })
    const made = await symlink(relative(dirname(named), blob), named).then(
      () => true,
      () => false, // Windows allows it to few users
    )
    if (made) return
    const linked = await link(blob, named).then(
      () => true,
      () => false, // some disks know no links at all
    )
    if (linked) return
    await copyFile(blob, `${named}.incomplete`)
    moveInPlace(`${named}.incomplete`, named)
  }
}
