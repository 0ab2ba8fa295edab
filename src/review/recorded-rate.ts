/** @file How many steps a second the robot of a run makes, as what it recorded says: its metrics count steps. */
import { InputError } from '../errors.ts'
import { FrameReader } from '../replay/frames.ts'
import { readLogHeader, segmentsOf } from '../replay/log-files.ts'
import type { RunFolder } from '../run/folder.ts'

/** Hz; undefined where nothing is recorded yet, or the log cannot be read. */
export function recordedRate({ log, demonstrations }: Pick<RunFolder, 'log' | 'demonstrations'>): number | undefined {
  const [file] = [...segmentsOf(log), ...segmentsOf(demonstrations)]
  return file === undefined ? undefined : rateIn(file)
}

function rateIn(file: string): number | undefined {
  const frames = new FrameReader(file)
  try {
    return readLogHeader(frames, file).robot.rate
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  } finally {
    frames.close()
  }
}
