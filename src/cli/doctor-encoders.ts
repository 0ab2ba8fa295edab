/** @file What `duet doctor` says of the encoders: which files are here, and how long one observation takes. */
import type { Device } from '../graph/index.ts'
import { median } from '../metrics/statistics.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { Workcell } from '../robots/workcell/workcell.ts'
import type { EncoderInput, VlaEncoder } from '../vla/encoder.ts'
import { CATALOGUE, type ModelName, tokenizerFiles } from '../vla/hub/catalogue.ts'
import { findModel, findSnapshot, pulledPath } from '../vla/hub/find.ts'
import { hubSettings } from '../vla/hub/settings.ts'
import { openEncoder } from '../vla/open.ts'
import { ResNetEncoder } from '../vla/resnet10/encoder.ts'
import { T5TextEncoder } from '../vla/t5/encoder.ts'
import type { CheckResult } from './doctor-check.ts'

const MOST_ENCODES = 20
const LONGEST = 2000 // ms of encoding one after the other

/** What the cache holds of a model. Nothing is a fine answer. */
export async function examineFiles(model: ModelName): Promise<CheckResult> {
  const found = await findModel(model)
  if (!found) return { ok: true, found: `not fetched; duet pull ${model}` }
  const { path, revision, bytes, missing } = found
  const what = `${CATALOGUE[model].licence}, ${revision.slice(0, 12)}, ${(bytes / 1e6).toFixed(1)} MB`
  if (missing.length === 0) return { ok: true, found: `complete, ${what}, ${path}` }
  if (await isCompanion(model)) return { ok: true, found: `its tokenizer only, which others need; duet pull ${model}` }
  return { ok: true, warning: true, found: `incomplete, ${what}; missing: ${missing.join('; ')}; duet pull ${model}` }
}

/** Whether all is here that a model which names this one would read. */
async function isCompanion(model: ModelName): Promise<boolean> {
  const entry = CATALOGUE[model]
  if (entry.kind !== 'hub') return false
  return (await findSnapshot(tokenizerFiles(entry.repository), hubSettings()))?.missing.length === 0
}

/** What is timed, and the files that each needs. */
const NEEDS = { nano: undefined, smolvla: 'smolvla', octo: 'octo-small', t5: 't5-base', resnet10: 'resnet10' } as const
type Timed = keyof typeof NEEDS
export const TIMED = Object.keys(NEEDS) as Timed[]

/** Opens it and times it on what the workcell sees; undefined if its files are not here. */
export async function examineEncoder(name: Timed, device: Device): Promise<CheckResult | undefined> {
  const model = NEEDS[name]
  if (model && (await findModel(model))?.missing.length !== 0) return undefined
  return name === 't5' ? timeCommands(await pulledPath('t5-base', name)) : timeObservations(name, device)
}

async function timeObservations(name: Exclude<Timed, 't5'>, device: Device): Promise<CheckResult> {
  const workcell = await Workcell.create()
  try {
    const started = performance.now()
    const encoder = await open(name, workcell.spec, device)
    const loaded = performance.now() - started
    try {
      const { images, proprio } = await workcell.reset('place', 0)
      const time = await timeOf(encoder, { images, proprio, instruction: workcell.spec.tasks.place!.instruction })
      const { embeddingWidth, featureShape, hash, notes = [] } = encoder.description
      const figures = `${time.toFixed(1)} ms an observation on ${device}, loaded in ${(loaded / 1000).toFixed(1)} s`
      const shapes = [`h [${embeddingWidth}], features [${featureShape}], weights ${hash.slice(0, 12)}`, ...notes].join(
        '; ',
      )
      const { rate } = workcell.spec
      const period = 1000 / rate
      if (time <= period) return { ok: true, found: `${figures}; ${shapes}` }
      const slow = `longer than a control period of ${period} ms: on this device it cannot act at ${rate} Hz`
      return { ok: true, warning: true, found: `${figures}, ${slow}; ${shapes}` }
    } finally {
      await encoder.close()
    }
  } finally {
    workcell.free()
  }
}

/** ResNet-10 gives features only, so nano stands beside it. */
async function open(name: Exclude<Timed, 't5'>, spec: RobotSpec, device: Device): Promise<VlaEncoder> {
  const robot = { cameras: Object.keys(spec.cameras), stateWidth: spec.channels.length, device }
  if (name !== 'resnet10') return openEncoder(name, robot)
  const nano = await openEncoder('nano', robot)
  return ResNetEncoder.load(nano, { path: await pulledPath('resnet10', name), device })
}

/** Milliseconds of one encoding, the median of several; the first one, which compiles, does not count. */
async function timeOf(encoder: VlaEncoder, input: EncoderInput): Promise<number> {
  await encoder.encode([input])
  const times: number[] = []
  const started = performance.now()
  while (times.length < MOST_ENCODES && (times.length === 0 || performance.now() - started < LONGEST)) {
    const before = performance.now()
    await encoder.encode([input])
    times.push(performance.now() - before)
  }
  return median(times)
}

/** T5 reads commands when a run opens, and never again. */
async function timeCommands(folder: string): Promise<CheckResult> {
  const started = performance.now()
  const encoder = await T5TextEncoder.load(folder)
  try {
    await encoder.encode('move left')
    const loaded = performance.now()
    await encoder.encode('move right')
    const time = performance.now() - loaded
    const opened = ((loaded - started) / 1000).toFixed(1)
    return { ok: true, found: `${time.toFixed(1)} ms a command, loaded in ${opened} s; width ${encoder.width}` }
  } finally {
    await encoder.close()
  }
}
