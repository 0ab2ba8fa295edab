import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { push } from '../../../src/vla/hub/push.ts'
import { hubSettings } from '../../../src/vla/hub/settings.ts'
import { PushServer } from './push-server.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-push-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

let hub: PushServer
beforeEach(async () => {
  hub = await PushServer.start()
})
afterEach(() => hub.stop())

const INFO = { codebase_version: 'v3.0', total_episodes: 2 }

function aFolder(name: string, files: Record<string, string>): string {
  const folder = join(root, name)
  for (const [file, content] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, file)), { recursive: true })
    fs.writeFileSync(join(folder, file), content)
  }
  return folder
}

const aDataset = (name: string, info: unknown = INFO) =>
  aFolder(name, {
    'meta/info.json': JSON.stringify(info),
    'meta/stats.json': '{}',
    'meta/episodes/chunk-000/file-000.parquet': 'PAR1 episodes',
    'data/chunk-000/file-000.parquet': 'PAR1 zero',
    'data/chunk-000/file-001.parquet': 'PAR1 one',
    'data/chunk-000/file-002.parquet.draft': 'half',
    'process.lock': '{}',
    'README.md': '# card',
  })

const settings = (more: Record<string, string> = {}) =>
  hubSettings({ HF_ENDPOINT: hub.endpoint, HF_TOKEN: hub.token, NO_PROXY: '*', ...more })
const patience = { tries: 3, pause: 1, silence: 2000 }
const sent = (folder: string, options = {}) =>
  push('dataset', folder, 'me/bolts', { settings: settings(), patience, ...options })

it('a dataset arrives whole, with its card and the tag v3.0; drafts and locks stay at home', async () => {
  expect(await sent(aDataset('set'), { private: true })).toEqual({
    ...{ url: `${hub.endpoint}/datasets/me/bolts`, sent: 6, there: 0, removed: 0, tag: 'v3.0' },
  })
  const { files, type, hidden, tags, commits } = hub.repositories.get('me/bolts')!
  expect([type, hidden, [...tags]]).toEqual(['dataset', true, [['v3.0', commits]]])
  expect([...files.keys()].sort()).toEqual([
    'README.md',
    'data/chunk-000/file-000.parquet',
    'data/chunk-000/file-001.parquet',
    'meta/episodes/chunk-000/file-000.parquet',
    'meta/info.json',
    'meta/stats.json',
  ])
  expect(files.get('data/chunk-000/file-001.parquet')!.toString()).toBe('PAR1 one')
})

it('a second push sends what has changed, removes what is gone, and moves the tag', async () => {
  const folder = aDataset('again')
  await sent(folder)
  expect(await sent(folder)).toMatchObject({ sent: 0, there: 6 })
  fs.writeFileSync(join(folder, 'data/chunk-000/file-000.parquet'), 'PAR1 zero, longer')
  fs.rmSync(join(folder, 'data/chunk-000/file-001.parquet'))
  const before = hub.puts().length
  expect(await sent(folder)).toMatchObject({ sent: 1, there: 4, removed: 1 })
  const { files, tags, commits } = hub.repositories.get('me/bolts')!
  expect([hub.puts().length - before, files.has('data/chunk-000/file-001.parquet'), tags.get('v3.0')]).toEqual([
    1,
    false,
    commits,
  ])
})

it('goes on where it broke off: what the server has is not sent twice, and there is no tag before the end', async () => {
  const folder = aDataset('broken')
  hub.room = 2
  await expect(sent(folder, { patience: { ...patience, tries: 1 } })).rejects.toThrow('run the command again')
  expect(hub.repositories.get('me/bolts')!.tags.size).toBe(0)
  const stored = hub.stored.size
  hub.room = Number.POSITIVE_INFINITY
  const before = hub.puts().length
  await sent(folder)
  expect(hub.puts().length - before).toBe(3 - stored)
  expect(hub.repositories.get('me/bolts')!.tags.size).toBe(1)
})

it('waits for a server that is busy', async () => {
  hub.busy = 2
  expect(await sent(aDataset('busy'))).toMatchObject({ sent: 6 })
})

it('refuses a folder that is no dataset before it asks anybody', async () => {
  const folder = aFolder('photos', { 'a.jpg': 'x' })
  await expect(sent(folder)).rejects.toThrow('photos: is no dataset: it has no meta/info.json')
  await expect(sent(aDataset('old', { ...INFO, codebase_version: 'v2.1' }))).rejects.toThrow('is of version v2.1')
  await expect(sent(aDataset('empty', { ...INFO, total_episodes: 0 }))).rejects.toThrow('info.json, total_episodes')
  await expect(push('policy', folder, 'me/p', { settings: settings() })).rejects.toThrow(
    'is no policy: it has no .onnx file',
  )
  await expect(push('dataset', aDataset('name'), 'bolts', { settings: settings() })).rejects.toThrow('owner/name')
  expect(hub.seen).toEqual([])
})

it('tells no token: neither that is missing, nor that is refused, whatever the server says', async () => {
  const folder = aDataset('secret')
  const without = hubSettings({ HF_ENDPOINT: hub.endpoint, HF_HOME: root })
  await expect(push('dataset', folder, 'me/bolts', { settings: without })).rejects.toThrow('HF_TOKEN: is not set')
  const wrong = settings({ HF_TOKEN: 'hf_wrong_secret' })
  const error = await push('dataset', folder, 'me/bolts', { settings: wrong, patience }).catch((error: Error) => error)
  expect(String(error)).toMatch(/answered 401 \(no: Bearer \.\.\./)
  expect(String(error)).not.toContain('secret')
  hub.room = 0
  const broken = await sent(folder, { patience: { ...patience, tries: 1 } }).catch((error: Error) => error)
  expect(String(broken)).not.toMatch(/secret|hf_of/)
  for (const { path, token } of hub.seen) if (path.startsWith('/store')) expect(token).toBeUndefined()
})

it('a policy goes into a repository of models, its card last', async () => {
  const folder = aFolder('policy', { 'policy.onnx': 'onnx', 'README.md': '# card', 'policy.json': '{}' })
  const pushed = await push('policy', folder, 'me/arm', { settings: settings(), patience })
  expect(pushed).toEqual({ url: `${hub.endpoint}/me/arm`, sent: 3, there: 0, removed: 0 })
  const { type, files } = hub.repositories.get('me/arm')!
  expect([type, [...files.keys()].sort()]).toEqual(['model', ['README.md', 'policy.json', 'policy.onnx']])
})
