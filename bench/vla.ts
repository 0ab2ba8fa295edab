/** @file (e) Published encoders at full size, with random weights: seconds to load, seconds to encode, peak memory. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { EncoderName } from '../src/vla/encoders.ts'
import { rounded } from './measure.ts'
import { writeOcto, writeSmolVla } from './synthetic.ts'

export type VlaFigures = {
  parameters: number
  loadSeconds: number
  encodeSeconds: number // one observation
  loadedMegabytes: number // peak memory of the process while loading
  peakMegabytes: number // and while encoding
  processMegabytes: number // of node before that
  peakShare: number // of the size that all parameters have in single precision
}

/** Three cameras, as the base policy has; on all cores. About 1 GB in the folder for temporary files. */
export const benchSmolVla = () => measure('smolvla', ['camera1', 'camera2', 'camera3'], writeSmolVla)

/** Two cameras, as octo-small has them. */
export const benchOcto = () => measure('octo', ['primary', 'wrist'], writeOcto)

async function measure(
  name: EncoderName,
  cameras: readonly string[],
  write: (folder: string) => Promise<number>,
): Promise<VlaFigures> {
  const folder = await mkdtemp(join(tmpdir(), `duet-bench-${name}-`))
  try {
    const parameters = await write(folder)
    const probe = resolve(import.meta.dirname, 'vla-probe.ts')
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', probe, name, folder, ...cameras],
      { cwd: resolve(import.meta.dirname, '..') },
    )
    const figures = JSON.parse(stdout) as Omit<VlaFigures, 'parameters' | 'peakShare'>
    const shown = Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, rounded(value)]))
    const peakShare = rounded((figures.peakMegabytes * 2 ** 20) / (4 * parameters))
    return { parameters, ...(shown as typeof figures), peakShare }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
