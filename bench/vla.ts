/** @file (e) Published encoders at full size, with random weights: in f32 and in int8: seconds to load and to encode, peak memory, and how far int8 is from f32. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { EncoderName } from '../src/vla/encoders.ts'
import { rounded } from './measure.ts'
import { writeOcto, writeSmolVla } from './synthetic.ts'

/** Three cameras, as the base policy has; on all cores. About 1.2 GB in the folder for temporary files. */
export const benchSmolVla = () =>
  measure('smolvla', ['camera1', 'camera2', 'camera3'], writeSmolVla, { frames: 6, acts: 0 })

/** Two cameras, as octo-small has them. */
export const benchOcto = () => measure('octo', ['primary', 'wrist'], writeOcto, { frames: 24, acts: 100 })

/** What one process that opens it in one precision takes. */
type Alone = {
  loadSeconds: number
  encodeSeconds: number // one observation
  loadedMegabytes: number // peak memory of the process while loading
  peakMegabytes: number // and while encoding
  processMegabytes: number // of node before that
}

async function measure(
  name: EncoderName,
  cameras: readonly string[],
  write: (folder: string) => Promise<number>,
  { frames, acts }: { frames: number; acts: number }, // that f32 and int8 are compared on
): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), `duet-bench-${name}-`))
  try {
    const parameters = await write(folder)
    const run = async (script: string, ...given: (string | number)[]) => {
      const path = resolve(import.meta.dirname, script)
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', path, name, folder, ...given.map(String), ...cameras],
        { cwd: resolve(import.meta.dirname, '..'), env: { ...process.env, HF_ASSETS_CACHE: join(folder, 'cache') } },
      )
      return JSON.parse(stdout) as Record<string, number>
    }
    const plain = (await run('vla-probe.ts', 'f32')) as Alone
    const made = (await run('vla-probe.ts', 'int8')) as Alone
    const bytes = (await run('vla-probe.ts', 'int8')) as Alone
    const compared = await run('vla-compare.ts', frames, acts)
    const figures = {
      ...plain,
      peakShare: (plain.peakMegabytes * 2 ** 20) / (4 * parameters), // of the size that all parameters have in f32
      int8BuildSeconds: made.loadSeconds, // the first time
      int8BuildPeakMegabytes: made.loadedMegabytes,
      int8LoadSeconds: bytes.loadSeconds,
      int8PeakMegabytes: bytes.peakMegabytes,
    }
    const shown = Object.entries({ ...figures, ...compared }).map(([key, value]) => [
      key,
      /Cosine/.test(key) ? Number(value.toFixed(6)) : rounded(value),
    ])
    return { parameters, ...Object.fromEntries(shown) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
