/** @file A run that is stopped and resumed: it encodes nothing again, and goes on as one that encodes all of it. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { RunFolder } from '../../src/run/folder.ts'
import type { openSession } from '../../src/run/session.ts'
import { train } from '../../src/run/train.ts'
import { openBriefly } from './brief.ts'
import { curve, oneTask } from './one-task.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-alike-'))
afterAll(() => rmSync(runs, { recursive: true }))

const config = oneTask({
  replay: { shiftedCopies: 1 },
  warmUp: { updates: 4 },
  online: { robotMinutes: 0.2, updatesPerStep: 0.2, startAfter: 10 },
})

const namesOf = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('encodings-'))

/** Goes on with the run to its end; says how many observations it encoded before the first one of its own. */
async function resume(path: string) {
  const { folder } = RunFolder.open(path)
  let encoded = 0
  let opening = 0
  const counting: typeof openSession = async (settings) => {
    const session = await openBriefly(settings)
    const encode = session.encoder.encode
    const encoder = {
      ...session.encoder,
      encode: (inputs: Parameters<typeof encode>[0]) => {
        encoded++
        return encode(inputs)
      },
    }
    return { ...session, encoder }
  }
  await train(folder, config, { listeners: [{ started: () => (opening = encoded) }] }, counting)
  return { opening, curve: curve(readMetrics(folder.metrics)) }
}

const paths = { with: join(runs, 'with'), without: join(runs, 'without') }
let logged = 0

beforeAll(async () => {
  const folder = RunFolder.create(paths.with, config)
  const stop = new AbortController()
  await train(
    folder,
    config,
    { stop: stop.signal, onProgress: ({ stage }) => stage.startsWith('online') && stop.abort() },
    openBriefly,
  )
  logged = ofKind(readMetrics(folder.metrics), 'episode').reduce((sum, { length }) => sum + length + 1, 0)
  cpSync(paths.with, paths.without, { recursive: true })
  for (const kept of [join(paths.without, 'log'), join(paths.without, 'demonstrations')])
    for (const name of namesOf(kept)) rmSync(join(kept, name))
}, 300_000)

it('encodes nothing again where its encodings lie beside its log, all where they were deleted, and the curves are the same', async () => {
  const [kept, anew] = [await resume(paths.with), await resume(paths.without)]
  expect(kept.opening).toBe(0)
  expect(anew.opening).toBeGreaterThan(logged) // the log and a demonstration
  expect(kept.curve).toEqual(anew.curve)
  expect(kept.curve[0]!.length).toBeGreaterThan(1)
  expect(kept.curve[1]!.some((update) => 'phase' in update && update.phase === 'online')).toBe(true)
  for (const folder of ['log', 'demonstrations'].map((name) => join(paths.without, name)))
    expect(namesOf(folder)).toHaveLength(1)
}, 300_000)
