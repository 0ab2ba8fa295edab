/** @file Who worked on a run, part by part: which version of Duet, when, by which command, and what a resume changed. */
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { duetVersion } from './version.ts'

/** Of the run folder: it changes when an older Duet would misread one. */
const RUN_FORMAT = 1

const Part = z.object({
  duet: z.string(), // version
  at: z.string(), // ISO 8601
  command: z.string().optional(),
  changed: z.array(z.object({ name: z.string(), from: z.unknown(), to: z.unknown() })).optional(), // settings
})
/** From a start to the next: the first one made the run, the others resumed it. */
export type RunPart = z.infer<typeof Part>

const Format = z.object({ format: z.int() })
const History = z.object({ format: z.literal(RUN_FORMAT), parts: z.array(Part) })

/** The part that begins now. */
export const partNow = (told: Pick<RunPart, 'command' | 'changed'> = {}): RunPart => ({
  duet: duetVersion(),
  at: new Date().toISOString(),
  ...told,
})

export const writtenHistory = (parts: readonly RunPart[]): string =>
  `${JSON.stringify({ format: RUN_FORMAT, parts }, null, 2)}\n`

/** @throws InputError if it is damaged, or of a format that this version does not know */
export function readHistory(file: string, text: string): RunPart[] {
  const value = parse(file, text)
  const format = Format.safeParse(value).data?.format
  if (format !== undefined && format !== RUN_FORMAT) {
    const what = `is of format ${format}, this is Duet ${duetVersion()}, which knows format ${RUN_FORMAT}`
    throw new InputError(file, what, 'Use the version of Duet that wrote it')
  }
  const result = History.safeParse(value)
  if (!result.success) throw damaged(file)
  return result.data.parts
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw damaged(file, cause)
  }
}

const damaged = (file: string, cause?: unknown) =>
  new InputError(file, 'is not what was saved', 'Delete it: only the versions that worked on the run are lost', {
    cause,
  })
