/** @file What is kept of an encoder's work: found again number for number, and never taken for what it is not. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { toHalf } from '../../src/float16.ts'
import type { Experience } from '../../src/link/ports.ts'
import { OnlineRecorder } from '../../src/loop/online-recorder.ts'
import { type Copies, NO_COPIES, Perception } from '../../src/loop/perception.ts'
import type { EncodedObservation } from '../../src/replay/assembler.ts'
import { checkEncodings, Encodings } from '../../src/replay/encodings.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import type { LoggedEpisode } from '../../src/replay/log-reader.ts'
import { LogSource } from '../../src/replay/log-source.ts'
import { RecordCodec } from '../../src/replay/records.ts'
import { repairLog } from '../../src/replay/repair.ts'
import { type EncodedAs, encodingsBeside, encodingsOfDemonstrations } from '../../src/run/kept-encodings.ts'
import { encodeDemonstrations, replayLogs } from '../../src/run/preparation.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import type { EncoderDescription, EncoderInput } from '../../src/vla/encoder.ts'
import { aRobot, episodeOf, record } from '../replay/scenes.ts'

const root = mkdtempSync(join(tmpdir(), 'duet-encodings-'))
afterAll(() => rmSync(root, { recursive: true }))
let folders = 0
const aFolder = () => join(root, `log-${folders++}`)

const spec = aRobot(8)
const COPIES: Copies = { count: 2, pixels: 2, seed: 5 }

/** An encoder that counts what it encodes. Its features are of the first pixels, so that a shift changes them; thirds are no halves. */
function eyes(said = 'put the bolt upright') {
  const seen = { views: 0 }
  const encode = async (inputs: readonly EncoderInput[]) => {
    seen.views += inputs.length
    return inputs.map(({ images, proprio, instruction }) => ({
      h: Float32Array.of(images.wrist!.data[0]! / 3, proprio[1]! / 7, instruction.length / 11),
      features: Float32Array.from(
        ['wrist', 'front'].flatMap((camera) => [0, 40, 90].map((at) => images[camera]!.data[at]! / 3)),
      ),
    }))
  }
  return { seen, encoder: { encode } as never, instructions: { place: said, pick: said } }
}

const described = (hash = 'abc') =>
  ({ name: 'counting', hash, embeddingWidth: 3, featureShape: [2, 1, 1, 3] }) as unknown as EncoderDescription
const config = { vlaLayer: undefined, vlaCameras: {}, vlaStatistics: undefined }

async function all<T>(given: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const one of given) list.push(one)
  return list
}

type Told = { step: number; h: number[]; proprio: number[]; halves: number[][] }

/** What a learner is told when a run is opened, with its features as the replay keeps them, and how much was encoded for it. */
async function resume(
  folder: string,
  {
    copies = COPIES,
    said = 'put the bolt upright',
    as = {} as Partial<EncodedAs>,
    without = false,
    notices = [] as string[],
  } = {},
) {
  const { seen, ...own } = eyes(said)
  const told: Told[] = []
  const tell = (step: number, { h, proprio, features }: EncodedObservation) =>
    told.push({ step, h: [...h], proprio: [...proprio], halves: features.map((view) => [...view].map(toHalf)) })
  const experience = {
    room: async () => {},
    begin: (_, sight) => void tell(-1, sight),
    step: (_, { id }, sight) => void tell(id, sight),
    end: () => {},
  } as Pick<Experience, 'room' | 'begin' | 'step' | 'end'> as Experience
  const asIs = { apply: (row: Float32Array) => row }
  const perception = new Perception(own.encoder, own.instructions, { h: asIs, proprio: asIs })
  const made = { config, encoder: described(), copies, ...as }
  const encodings = without ? undefined : [encodingsBeside(folder, spec, made, (line) => notices.push(line))]
  const options = { onEpisode: () => {}, encodings }
  await replayLogs(own, perception, [experience], [new LogSource(folder, spec)], copies, options)
  for (const kept of encodings ?? []) kept.close()
  return { told, encoded: seen.views / (1 + copies.count), notices }
}

const fileIn = (folder: string) => join(folder, readdirSync(folder).find((name) => name.startsWith('encodings-'))!)

/** A log of two episodes, 3 and 4 observations, all of them kept. */
async function aLog(): Promise<string> {
  const folder = aFolder()
  write(folder, episodeOf(0, 2, spec), episodeOf(1, 3, spec))
  await resume(folder)
  return folder
}

function write(folder: string, ...episodes: LoggedEpisode[]): void {
  const log = EpisodeLog.open(folder, spec)
  for (const episode of episodes) record(log, episode)
  log.close()
}

describe('what a run made of its observations', () => {
  it('while it ran is told again number for number; nothing is encoded, also of an episode that was cut off', async () => {
    const folder = aFolder()
    const { encoder, instructions } = eyes()
    const halved = { apply: (row: Float32Array) => row.map((x) => x / 2) } // what is kept is from before that
    const perception = new Perception(encoder, instructions, { h: halved, proprio: halved })
    const log = EpisodeLog.open(folder, spec)
    const encodings = encodingsBeside(folder, spec, { config, encoder: described(), copies: COPIES })
    const nobody = { begin: () => {}, step: () => {}, end: () => {} }
    const kept = { encodings, instructions }
    const cell = { index: 1, of: 3 } // ids in steps of three
    const recorder = new OnlineRecorder(log, nobody, COPIES, { step: async () => {} }, cell, 0, kept)
    for (const whole of [true, false]) {
      const { observations, steps } = episodeOf(recorder.nextEpisode, 3, spec)
      const see = (t: number) => perception.see(observations[t]!, 'place', COPIES, recorder.observationId(t))
      recorder.begin('place', 7, observations[0]!, await see(0))
      for (const [t, { action }] of steps.entries()) {
        const happened = { step: t, action, planned: action, reward: 0, terminated: false, truncated: whole && t === 2 }
        const happening = { ...happened, by: 'clock', actor: 'primary', command: null } as const
        await recorder.step(happening, observations[t + 1]!, await see(t + 1))
      }
      const summary = { task: 'place', seed: 7, length: 3, operatorSteps: 0, spokenSteps: 0, commands: 0, segments: [] }
      if (whole) recorder.end({ ...summary, ending: 'timeout' })
    }
    log.close()
    encodings.close()
    const ids = (step: number, first: number) => first + step * 3
    const sources = [new LogSource(folder, spec)]
    expect((await all(sources[0]!.episodes())).map(({ steps }) => steps[2]!.id)).toEqual([ids(2, 1), ids(2, 10)])
    const { seen, ...own } = eyes()
    const told = { with: [] as unknown[], without: [] as unknown[] }
    for (const which of ['with', 'without'] as const) {
      const tell = ({ h, proprio, features }: EncodedObservation) =>
        void told[which].push([h, proprio, features.map((view) => [...view].map(toHalf))])
      const experience = {
        room: async () => {},
        begin: (_: unknown, one: EncodedObservation) => tell(one),
        end: () => {},
      }
      const whole = { ...experience, step: (_: unknown, __: unknown, one: EncodedObservation) => tell(one) } as never
      const again = encodingsBeside(folder, spec, { config, encoder: described(), copies: COPIES })
      const options = { onEpisode: () => {}, ...(which === 'with' && { encodings: [again, again, again] }) }
      const others = [1, 2].map((n) => new LogSource(join(folder, `none-${n}`), spec))
      await replayLogs(own, perception, [whole, whole, whole], [...sources, ...others], COPIES, options)
      again.close()
      expect(seen.views).toBe(which === 'with' ? 0 : 8 * 3)
    }
    expect(told.with).toHaveLength(8)
    expect(told.with).toEqual(told.without)
  })

  it('is encoded once, told the same from the file, and then no picture is looked at', async () => {
    const folder = aFolder()
    write(folder, episodeOf(0, 2, spec), episodeOf(1, 3, spec))
    const first = await resume(folder)
    expect(first.encoded).toBe(7)
    const pictures = vi.spyOn(RecordCodec.prototype, 'unpack')
    const second = await resume(folder)
    expect([second.encoded, pictures.mock.calls.length, second.notices]).toEqual([0, 0, []])
    pictures.mockRestore()
    const anew = await resume(folder, { without: true })
    expect(anew.encoded).toBe(7)
    expect(second.told).toEqual(anew.told)
    expect(first.told).toEqual(anew.told)
    expect(new Set(anew.told.map(({ halves }) => halves.join('|'))).size).toBeGreaterThan(3) // they do differ
  })

  it('takes as many bytes an observation as is said', async () => {
    const folder = await aLog()
    const encodings = encodingsBeside(folder, spec, { config, encoder: described(), copies: COPIES })
    const frame = 12
    expect(encodings.bytes).toBe(frame + 24 + 4 * (3 + 3) + 2 * 6 * (1 + 2))
    const { size } = statSync(fileIn(folder))
    const head = readFileSync(fileIn(folder)).readUInt32LE(4)
    expect(size).toBe(frame + head + 7 * encodings.bytes)
    encodings.close()
    expect(checkEncodings(folder)).toEqual([
      { file: fileIn(folder), bytes: size, encoder: 'counting', observations: 7, damaged: 0 },
    ])
  })

  it('whose last record was cut short costs that one, without a word', async () => {
    const folder = await aLog()
    truncateSync(fileIn(folder), statSync(fileIn(folder)).size - 5)
    expect(await resume(folder)).toMatchObject({ encoded: 1, notices: [] })
    expect(await resume(folder)).toMatchObject({ encoded: 0, notices: [] })
  })

  it.each([
    ['a number of it', 40],
    ['the length of it', 4],
    ['the mark of it', 0],
  ])('where %s is damaged is made anew there, and says so', async (_, into) => {
    const folder = await aLog()
    const expected = await resume(folder, { without: true })
    const file = fileIn(folder)
    const bytes = readFileSync(file)
    const record = (bytes.length - 12 - bytes.readUInt32LE(4)) / 7
    bytes[bytes.length - 4 * record + into]! ^= 4 // of the fourth
    writeFileSync(file, bytes)
    expect(checkEncodings(folder)).toMatchObject([{ observations: 6, damaged: 1 }])
    const mended = await resume(folder)
    expect(mended.told).toEqual(expected.told)
    expect(mended.encoded).toBe(1)
    expect(mended.notices).toEqual([expect.stringMatching(/^Encodings: .*duetenc is damaged at byte \d+; /)])
    const later = await resume(folder)
    expect(later.told).toEqual(expected.told)
    expect(later.encoded).toBe(0)
  })

  it('is not taken for that of another encoder, other settings of it, other copies or another instruction', async () => {
    const folder = await aLog()
    const others = [
      { as: { encoder: described('def') } },
      { as: { encoder: { ...described(), int8: 'abc' } } },
      { as: { encoder: { ...described(), half: true } } },
      { as: { config: { ...config, vlaLayer: 3 } } },
      { as: { config: { ...config, vlaCameras: { camera1: 'wrist' } } } },
      { copies: { ...COPIES, seed: 6 } },
      { copies: { ...COPIES, count: 1 } },
      { copies: NO_COPIES },
      { said: 'put the bolt upright, slowly' },
    ]
    for (const other of others) {
      const found = await resume(folder, other)
      expect(found.encoded).toBe(7)
      expect(found.told).toEqual((await resume(folder, { ...other, without: true })).told)
      expect((await resume(folder, other)).encoded).toBe(0)
    }
    expect((await resume(folder, { as: { encoder: described('ghi') } })).notices).toEqual([
      expect.stringContaining('has none of this encoder with these settings'),
    ])
    expect(await resume(folder)).toMatchObject({ encoded: 0, notices: [] })
  })

  it('is not believed by its name alone', async () => {
    const [folder, other] = [await aLog(), aFolder()]
    write(other, episodeOf(0, 2, spec), episodeOf(1, 3, spec))
    await resume(other, { as: { encoder: described('def') } })
    renameSync(fileIn(other), fileIn(folder))
    expect(await resume(folder)).toMatchObject({ encoded: 7, notices: [expect.stringContaining('is made anew')] })
    expect(await resume(folder)).toMatchObject({ encoded: 0, notices: [] })
  })

  it('stays of use to a log that was repaired, and to one that has gone on', async () => {
    const folder = await aLog()
    write(folder, episodeOf(2, 1, spec))
    expect((await resume(folder)).encoded).toBe(2)
    const segment = join(folder, 'segment-000001.duetlog')
    const bytes = readFileSync(segment)
    bytes[bytes.length >> 1]! ^= 255
    writeFileSync(segment, bytes)
    await repairLog(folder)
    const left = await all(new LogSource(folder, spec).episodes())
    expect(left.length).toBeLessThan(3)
    const repaired = await resume(folder)
    expect(repaired.encoded).toBe(0)
    expect(repaired.told).toEqual((await resume(folder, { without: true })).told)
  })

  it('is not taken for that of a log whose numbers are the same, and whose pictures are not', async () => {
    const folder = await aLog()
    rmSync(join(folder, 'segment-000001.duetlog'))
    const [first, second] = [episodeOf(0, 2, spec), episodeOf(1, 3, spec)]
    first.observations[1]!.images.wrist!.data[3]! ^= 1
    write(folder, first, second)
    expect((await resume(folder)).encoded).toBe(2) // that observation, and the one after it, whose picture refers to it
  })

  it('is not kept where it is not finite: the run would go on with another number', async () => {
    const folder = aFolder()
    const encodings = encodingsBeside(folder, spec, { config, encoder: described(), copies: NO_COPIES })
    const key = { episode: 0, step: 0, id: 0, sum: 1, instruction: '' }
    const sight = { h: new Float32Array(3), proprio: new Float32Array(3), features: [new Float32Array(6)] }
    encodings.keep(key, { ...sight, features: [new Float32Array(6).fill(Number.POSITIVE_INFINITY)] })
    encodings.keep({ ...key, step: 1 }, sight)
    encodings.close()
    expect(checkEncodings(folder)).toMatchObject([{ observations: 1 }])
  })

  it('is done without where the disk refuses it; that is said once', async () => {
    const log = aFolder()
    write(log, episodeOf(0, 2, spec))
    const notices: string[] = []
    const file = join(log, 'a file') // no folder can be made in it
    writeFileSync(file, '')
    const provenance = {
      encoder: { name: 'counting', hash: 'abc' },
      widths: { h: 3, proprio: 3, features: [6] },
      copies: NO_COPIES,
    }
    const encodings = new Encodings(join(file, 'below'), provenance, (line) => notices.push(line))
    const { encoder, instructions, seen } = eyes()
    const perception = { normalise: (raw: EncodedObservation) => raw } as Perception
    const experience = { room: async () => {}, begin: () => {}, step: () => {}, end: () => {} } as unknown as Experience
    const options = { onEpisode: () => {}, encodings: [encodings] }
    await replayLogs(
      { encoder, instructions },
      perception,
      [experience],
      [new LogSource(log, spec)],
      NO_COPIES,
      options,
    )
    expect(seen.views).toBe(3)
    expect(notices).toEqual([expect.stringMatching(/^Encodings: .* cannot be written \(.*ENOTDIR.*\); /)])
  })
})

describe('what was made of demonstrations', () => {
  const settings = (perTask: number) => {
    const { demonstrations, ...rest } = resolveConfig('quick')
    return { ...rest, tasks: ['place'], demonstrations: { ...demonstrations, perTask } }
  }
  const encode = async (folder: string, perTask: number, run = { encodings: join(folder, 'of the run') }) => {
    const { seen, ...own } = eyes()
    const source = new LogSource(folder, spec)
    const as = { config, encoder: described(), copies: COPIES }
    const encodings = [encodingsOfDemonstrations({ name: folder, spec, index: 0 }, run, as)]
    const encoded = await encodeDemonstrations(own, [source], settings(perTask), COPIES, {
      onEpisode: () => {},
      encodings,
    })
    encodings[0]!.close()
    return {
      encoded: seen.views / 3,
      sights: encoded.flatMap(({ sights }) => sights.map(({ h }) => [...h])),
      file: encodings[0]!.file,
    }
  }

  it('lies beside them, for every run that reads them', async () => {
    const folder = aFolder()
    write(folder, episodeOf(0, 2, spec), episodeOf(2, 3, spec))
    const first = await encode(folder, 2)
    expect([first.encoded, first.file.startsWith(join(folder, 'encodings-'))]).toEqual([7, true])
    expect(await encode(folder, 2)).toEqual({ ...first, encoded: 0 })
    expect((await encode(folder, 1)).encoded).toBe(0)
  })

  it('of somebody else\u2019s dataset lies in the run', () => {
    const folder = aFolder()
    mkdirSync(join(folder, 'meta'), { recursive: true })
    writeFileSync(join(folder, 'meta', 'info.json'), '{}')
    const run = { encodings: join(folder, 'of the run') }
    const as = { config, encoder: described(), copies: COPIES }
    const { file } = encodingsOfDemonstrations({ name: folder, spec, index: 1 }, run, as)
    expect(file.startsWith(join(run.encodings, '1'))).toBe(true)
  })
})
