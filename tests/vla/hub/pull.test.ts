/** @file `pull` against a server that speaks as the Hub does, in every mood. */
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CATALOGUE, type ReleaseFile } from '../../../src/vla/hub/catalogue.ts'
import { checksumOf } from '../../../src/vla/hub/download.ts'
import { findModel, pulledPath } from '../../../src/vla/hub/find.ts'
import { type PullOptions, pull } from '../../../src/vla/hub/pull.ts'
import { hubSettings } from '../../../src/vla/hub/settings.ts'
import { openEncoder, requireEncoder } from '../../../src/vla/open.ts'
import { FIXTURES, publishOcto, publishSmolVla, STATISTICS, settingsOf, VLM } from './models.ts'
import { type Fault, HubServer } from './server.ts'

const SMOLVLA = 'models--lerobot--smolvla_base'
const WEIGHTS = 'model.safetensors'
const weights = readFileSync(join(FIXTURES, 'smolvla', WEIGHTS))
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex')
const patience = { tries: 3, pause: 1, silence: 5000 }

let server: HubServer
let home: string
beforeEach(async () => {
  server = await HubServer.start()
  home = mkdtempSync(join(tmpdir(), 'duet-hub-'))
})
afterEach(async () => {
  await server.stop()
  rmSync(home, { recursive: true })
})

const settings = (changes = {}) => settingsOf(server, home, changes)
const pullSmolVla = (options: PullOptions = {}) => pull('smolvla', { settings: settings(), patience, ...options })
const blob = (data: Buffer) => join(home, 'hub', SMOLVLA, 'blobs', sha256(data))

describe('a pull', () => {
  it("leaves what is read, in the layout of the Hub's tools, and asks for nothing twice", async () => {
    const commit = publishSmolVla(server)
    const pulled = await pullSmolVla()
    const folder = join(home, 'hub', SMOLVLA)
    expect(pulled).toMatchObject({ path: join(folder, 'snapshots', commit), revision: commit })
    expect(readFileSync(join(folder, 'refs', 'main'), 'utf8')).toBe(commit)
    expect(readdirSync(pulled.path).sort()).toEqual(['config.json', WEIGHTS, 'policy_preprocessor.json', STATISTICS])
    expect(readlinkSync(join(pulled.path, WEIGHTS))).toBe(join('..', '..', 'blobs', sha256(weights)))
    expect(readFileSync(join(pulled.path, WEIGHTS)).equals(weights)).toBe(true)
    expect(readdirSync(join(folder, 'blobs')).filter((name) => name.endsWith('.incomplete'))).toEqual([])
    const vlm = join(home, 'hub', `models--${VLM.replace('/', '--')}`)
    expect(existsSync(join(vlm, 'snapshots', readFileSync(join(vlm, 'refs', 'main'), 'utf8'), 'tokenizer.json'))).toBe(
      true,
    )

    const bodies = server.bodies().length
    expect((await pullSmolVla()).fetchedBytes).toBe(0)
    expect(server.bodies().length).toBe(bodies)
  })

  it.each(['smolvla', 'octo'] as const)('of %s is what an encoder without a folder takes', async (name) => {
    const model = name === 'octo' ? 'octo-small' : name
    const folder = join(FIXTURES, name)
    const cameras = name === 'octo' ? ['primary', 'wrist'] : ['camera1', 'camera2']
    ;(name === 'octo' ? publishOcto : publishSmolVla)(server)
    process.env.HF_HOME = home
    try {
      await expect(openEncoder(name, { cameras })).rejects.toThrow(`Fetch it with \`duet pull ${model}\``)
      await pull(model, { settings: settings(), patience })
      const encoder = await openEncoder(name, { cameras })
      const direct = await openEncoder(name, { cameras, folder })
      const image = {
        width: 128,
        height: 128,
        data: Uint8Array.from({ length: 3 * 128 * 128 }, (_, i) => (i * 37) % 251),
      }
      const input = {
        images: Object.fromEntries(cameras.map((camera) => [camera, image])),
        proprio: new Float32Array(6).fill(0.1),
        instruction: 'pick up the bolt',
      }
      expect(await encoder.encode([input])).toEqual(await direct.encode([input]))
      await encoder.close()
      await direct.close()
    } finally {
      delete process.env.HF_HOME
    }
  })

  it('of another model is what an encoder takes by its name', async () => {
    publishOcto(server, 'octo-base')
    process.env.HF_HOME = home
    try {
      const open = () => openEncoder('octo', { folder: 'octo-base', cameras: ['primary'] })
      await expect(open()).rejects.toThrow('Fetch it with `duet pull octo-base`')
      await expect(requireEncoder('octo', 'octo-base', 'cpu')).rejects.toThrow('duet pull octo-base')
      const { path } = await pull('octo-base', { settings: settings(), patience })
      await requireEncoder('octo', 'octo-base', 'cpu')
      const encoder = await open()
      expect(encoder.description.source).toContain(path)
      await encoder.close()
    } finally {
      delete process.env.HF_HOME
    }
  })

  it('takes what other tools have fetched, whatever else they left', async () => {
    const commit = publishSmolVla(server)
    await pullSmolVla()
    const other = join(home, 'other')
    cpSync(join(home, 'hub'), join(other, 'hub'), { recursive: true, verbatimSymlinks: true })
    rmSync(join(other, 'hub', SMOLVLA, 'refs'), { recursive: true }) // as after a pull by commit
    mkdirSync(join(other, 'hub', '.locks'))
    const found = await findModel('smolvla', settings({ cache: join(other, 'hub') }))
    expect(found).toMatchObject({ revision: commit, missing: [] })
    expect(found!.bytes).toBeGreaterThan(weights.length)
  })

  it('does not follow a moved branch before the new commit is whole', async () => {
    const before = publishSmolVla(server)
    await pullSmolVla()
    const { files } = server.repositories.get('lerobot/smolvla_base')!
    const after = 'b'.repeat(40)
    server.add(
      'lerobot/smolvla_base',
      { ...Object.fromEntries(files), [WEIGHTS]: Buffer.alloc(weights.length, 3) },
      after,
    )
    for (let i = 0; i < patience.tries; i++) server.faults.push({ path: WEIGHTS, fault: 'busy' })
    await expect(pullSmolVla()).rejects.toThrow('503')
    expect((await findModel('smolvla', settings()))!.revision).toBe(before)
    await pullSmolVla()
    expect((await findModel('smolvla', settings()))!.revision).toBe(after)
    writeFileSync(join(home, 'hub', SMOLVLA, 'refs', 'main'), before) // another tool went back
    expect((await findModel('smolvla', settings()))!.revision).toBe(before)
  })

  it('gives the token to the Hub and to nobody else, and follows renamed repositories', async () => {
    publishSmolVla(server)
    server.renamed.set('lerobot/smolvla_base', 'lerobot/smolvla_renamed')
    server.repositories.set('lerobot/smolvla_renamed', server.repositories.get('lerobot/smolvla_base')!)
    await pullSmolVla({ settings: settings({ token: 'hf_secret' }) })
    const at = (host: string) => server.seen.filter((each) => each.host === host)
    expect(at('store').length).toBeGreaterThan(0)
    expect(new Set(at('hub').map(({ token }) => token))).toEqual(new Set(['Bearer hf_secret']))
    expect(new Set(at('store').map(({ token }) => token))).toEqual(new Set([undefined]))
  })

  it('fetches the release of ResNet-10 by its known checksum, into the assets', async () => {
    const data = readFileSync(join(FIXTURES, 'resnet10', 'resnet10_params.pkl'))
    server.add('rail/serl', { 'resnet10_params.pkl': data })
    const published = { ...CATALOGUE.resnet10 } as ReleaseFile
    const address = `${server.storeAddress}/rail/serl/resnet10_params.pkl`
    try {
      Object.assign(CATALOGUE.resnet10, { url: address })
      await expect(pull('resnet10', { settings: settings(), patience })).rejects.toThrow(
        `checksum ${sha256(data)} instead of 175745d4`,
      )
      expect(await findModel('resnet10', settings())).toBeUndefined()
      Object.assign(CATALOGUE.resnet10, { sha256: sha256(data) })
      server.faults.push({ path: 'resnet10_params.pkl', fault: 'breaks' })
      const { path, fetchedBytes } = await pull('resnet10', { settings: settings(), patience })
      expect(path).toBe(join(home, 'assets', 'duet', 'resnet10', 'default', 'resnet10_params.pkl'))
      expect(readFileSync(path).equals(data)).toBe(true)
      expect(fetchedBytes).toBe(data.length)
      expect(await pulledPath('resnet10', 'here', settings())).toBe(path)
    } finally {
      Object.assign(CATALOGUE.resnet10, published)
    }
  })
})

describe('an interrupted pull', () => {
  it('goes on where an earlier process stopped', async () => {
    publishSmolVla(server)
    const begun = Math.floor(weights.length / 3)
    mkdirSync(join(home, 'hub', SMOLVLA, 'blobs'), { recursive: true })
    writeFileSync(`${blob(weights)}.incomplete`, weights.subarray(0, begun))
    const progress: number[] = []
    await pullSmolVla({ onProgress: (file, done) => file === WEIGHTS && progress.push(done) })
    const asked = server.bodies().filter(({ host, path }) => host === 'store' && path.includes(WEIGHTS))
    expect(asked.map(({ range }) => range)).toEqual([`bytes=${begun}-`])
    expect(readFileSync(blob(weights)).equals(weights)).toBe(true)
    expect(progress.every((done) => done > begun)).toBe(true)
    expect(progress.at(-1)).toBe(weights.length)
  })

  it.each<[Fault[]]>([
    [['breaks']],
    [['stalls']],
    [['ends early', 'breaks']],
    [['busy', 'busy']],
    [['breaks', 'refuses ranges']],
    [['breaks', 'ignores ranges']],
    [['breaks', 'breaks', 'breaks', 'breaks', 'breaks', 'breaks']], // each time a bit further
  ])('ends well after %j', async (faults) => {
    publishSmolVla(server)
    server.faults.push(...faults.map((fault) => ({ path: WEIGHTS, fault })))
    const silence = faults.includes('stalls') ? 500 : patience.silence
    await pullSmolVla({ patience: { ...patience, silence } })
    expect(server.faults).toEqual([])
    expect(readFileSync(blob(weights)).equals(weights)).toBe(true)
  })

  it('gives up when nothing moves, keeps what it has, and says so', async () => {
    publishSmolVla(server)
    server.faults.push({ path: WEIGHTS, fault: 'stalls' })
    for (let i = 0; i < patience.tries; i++) server.faults.push({ path: WEIGHTS, fault: 'busy' })
    const half = Math.floor(weights.length / 2)
    const onProgress = (_: string, done: number) => done === half && server.cut() // what had not arrived would be lost
    await expect(pullSmolVla({ onProgress })).rejects.toThrow(
      /smolvla_base, model\.safetensors: .* answered 503, 3 times in a row.*goes on/,
    )
    const kept = readFileSync(`${blob(weights)}.incomplete`)
    expect(kept.length).toBe(half)
    expect(kept.equals(weights.subarray(0, kept.length))).toBe(true)
    await expect(pulledPath('smolvla', 'here', settings())).rejects.toThrow('smolvla is incomplete in')
  })

  it.each<[Fault, string, boolean]>([
    ['lies', `instead of ${sha256(weights)}; it was deleted`, false],
    ['chatters', `is longer than its ${weights.length} bytes`, true],
  ])('refuses a server that %s', async (fault, message, kept) => {
    publishSmolVla(server)
    server.faults.push({ path: WEIGHTS, fault })
    await expect(pullSmolVla()).rejects.toThrow(message)
    expect(existsSync(blob(weights))).toBe(false)
    expect(existsSync(`${blob(weights)}.incomplete`)).toBe(kept)
    await pullSmolVla()
    expect(readFileSync(blob(weights)).equals(weights)).toBe(true)
  })
})

describe('a pull that cannot be', () => {
  it.each([
    [
      403,
      undefined,
      /smolvla_base: is given only to those who have accepted its licence\. Accept it at http.*set HF_TOKEN/,
    ],
    [401, 'hf_x', /accepted its licence.*The token has to be of the account that accepted it/],
  ])('says what the licence gate wants (%i)', async (gate, token, message) => {
    publishSmolVla(server)
    server.repositories.get('lerobot/smolvla_base')!.gate = gate
    await expect(pullSmolVla({ settings: settings({ token }) })).rejects.toThrow(message)
  })

  it('says what is not there: repository, revision, file', async () => {
    await expect(pullSmolVla()).rejects.toThrow('lerobot/smolvla_base: is not at http')
    publishSmolVla(server)
    await expect(pullSmolVla({ revision: 'v9' })).rejects.toThrow('has no revision "v9"')
    await expect(pullSmolVla({ revision: '../../x' })).rejects.toThrow('is no name of a revision')
    server.repositories.get('lerobot/smolvla_base')!.files.delete(WEIGHTS)
    await expect(pullSmolVla()).rejects.toThrow('has no file model.safetensors at')
    server.repositories.get('lerobot/smolvla_base')!.files.delete('policy_preprocessor.json') // an old checkpoint
    server.repositories.get('lerobot/smolvla_base')!.files.set(WEIGHTS, weights)
    expect(readdirSync((await pullSmolVla()).path).sort()).toEqual(['config.json', WEIGHTS])
  })

  it('says that the endpoint is no Hub', async () => {
    server.mute = true
    await expect(pullSmolVla()).rejects.toThrow('answered without commit, checksum or size. Check HF_ENDPOINT')
    server.mute = false
    server.renamed.set('lerobot/smolvla_base', 'lerobot/smolvla_base')
    await expect(pullSmolVla()).rejects.toThrow('leads from one address to the next, more than 10 times')
  })

  it('says that nobody answers', async () => {
    const nobody = { settings: settings() }
    await server.stop()
    await expect(pullSmolVla(nobody)).rejects.toThrow(/cannot be reached \(ECONNREFUSED\), 3 times in a row/)
  })

  it('knows before it starts that the disk is too small', async () => {
    publishSmolVla(server)
    await expect(pullSmolVla({ freeBytes: async () => 10_000 })).rejects.toThrow(
      /smolvla_base: needs .* MB, .* has 0\.0 MB left/,
    )
    expect(server.bodies()).toEqual([])
  })

  it('refuses names in a config that would lead out of the cache', async () => {
    publishSmolVla(server)
    const { files } = server.repositories.get('lerobot/smolvla_base')!
    const config = JSON.parse(files.get('config.json')!.toString())
    files.set('config.json', Buffer.from(JSON.stringify({ ...config, vlm_model_name: '../../etc' })))
    await expect(pullSmolVla()).rejects.toThrow('names the repository "../../etc"')
    files.set('config.json', Buffer.from(JSON.stringify(config)))
    files.set('policy_preprocessor.json', Buffer.from('{"steps": [{"state_file": "../x.safetensors"}]}'))
    await expect(pullSmolVla()).rejects.toThrow('names the file "../x.safetensors"')
  })

  it('offline takes the cache or nothing, and asks nobody', async () => {
    publishSmolVla(server)
    const offline = { settings: settings({ offline: true }) }
    await expect(pullSmolVla(offline)).rejects.toThrow('HF_HUB_OFFLINE forbids to fetch it')
    expect(server.seen).toEqual([])
    const { path } = await pullSmolVla()
    server.seen.length = 0
    expect(await pullSmolVla(offline)).toMatchObject({ path, fetchedBytes: 0 })
    await expect(pullSmolVla({ ...offline, revision: 'v9' })).rejects.toThrow('revision v9')
    expect(server.seen).toEqual([])
  })
})

describe('a pull into a folder', () => {
  it('leaves plain files that an encoder reads, keeps good ones and refuses foreign ones', async () => {
    publishSmolVla(server)
    const folder = join(home, 'usb')
    mkdirSync(folder)
    writeFileSync(join(folder, WEIGHTS), weights) // given by hand
    await pullSmolVla({ folder })
    expect(server.bodies().some(({ path }) => path.includes(WEIGHTS))).toBe(false)
    expect(readdirSync(folder).sort()).toEqual(['config.json', WEIGHTS, 'policy_preprocessor.json', STATISTICS, 'vlm'])
    expect(existsSync(join(home, 'hub'))).toBe(false)
    const encoder = await openEncoder('smolvla', { folder, cameras: ['camera1'] })
    expect(encoder.description.hash).toBe(sha256(weights))
    await encoder.close()

    writeFileSync(join(folder, WEIGHTS), Buffer.alloc(weights.length))
    await expect(pullSmolVla({ folder })).rejects.toThrow('is not the published model.safetensors')
  })
})

describe('checksums', () => {
  it.each([
    ['hello\n', 'ce013625030ba8dba906f756967f9e9ca394464a'], // git hash-object
    ['hello\n', '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'], // sha256sum
    ['', 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'],
  ])('of %j are those of git and of sha256', async (text, expected) => {
    const path = join(home, 'text')
    writeFileSync(path, text)
    expect(await checksumOf(path, expected)).toBe(expected)
  })
})

describe('the settings', () => {
  it("are those of the Hub's own tools", () => {
    expect(hubSettings({ HOME: '/x' }).endpoint).toBe('https://huggingface.co')
    expect(hubSettings({ XDG_CACHE_HOME: '/c' }).cache).toBe('/c/huggingface/hub')
    expect(hubSettings({ HF_HOME: '/h', XDG_CACHE_HOME: '/c' })).toMatchObject({ cache: '/h/hub', assets: '/h/assets' })
    expect(hubSettings({ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old' }).cache).toBe('/old')
    expect(hubSettings({ HF_HUB_CACHE: '/new', HUGGINGFACE_HUB_CACHE: '/old' }).cache).toBe('/new')
    expect(hubSettings({ HF_ENDPOINT: 'http://mirror:80/' }).endpoint).toBe('http://mirror:80')
    expect(['1', 'TRUE', 'yes', '0', ''].map((text) => hubSettings({ HF_HUB_OFFLINE: text }).offline)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
    expect(() => hubSettings({ HF_ENDPOINT: 'mirror' })).toThrow('HF_ENDPOINT: is "mirror"')
    writeFileSync(join(home, 'token'), ' hf_file\n')
    expect(hubSettings({ HF_HOME: home }).token).toBe('hf_file')
    expect(hubSettings({ HF_HOME: home, HF_TOKEN: 'hf_set' }).token).toBe('hf_set')
    expect(hubSettings({ HF_HOME: join(home, 'none') }).token).toBeUndefined()
  })
})
