/**
 * @file What one robot told the learner, message by message as it came: from it a learner that was killed has its replay
 * again, and knows what it has been told. What is said to be kept has been flushed to the disk.
 */
import fs from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { z } from 'zod'
import { syncHandle, writeWhole } from '../durable.ts'
import { InputError, LostError, systemError } from '../errors.ts'
import { FrameReader, frame } from '../replay/frames.ts'

const FORMAT = 'duet-experience'
const Head = z.strictObject({ format: z.literal(FORMAT), version: z.literal(1), run: z.string(), robot: z.string() })

export class ExperienceJournal {
  private size: number
  private flushing: Promise<unknown> = Promise.resolve()
  private next: Promise<void> | undefined // begins when the flush that goes on has ended

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    size: number,
  ) {
    this.size = size
  }

  /**
   * Begins one, or goes on with it; `each` is given what it holds, one message at a time in memory. What a kill cut short
   * is removed: nobody was told that it is kept. @throws InputError if it is damaged, or another's
   */
  static async open(
    path: string,
    whose: { run: string; robot: string },
    each: (message: ArrayBuffer) => Promise<void> | void,
  ): Promise<ExperienceJournal> {
    if (!fs.existsSync(path)) {
      const head: z.infer<typeof Head> = { format: FORMAT, version: 1, ...whose }
      writeWhole(path, frame(Buffer.from(JSON.stringify(head))))
    }
    const reader = new FrameReader(path)
    try {
      expectHead(path, reader.next()?.payload, whose)
      for (let next = reader.next(); next; next = reader.next()) {
        const { buffer, byteOffset, length } = next.payload
        await each((buffer as ArrayBuffer).slice(byteOffset, byteOffset + length))
      }
      if (reader.torn && (reader.findIntact() !== null || !reader.cutShort))
        throw damaged(`${path} at byte ${reader.end}`)
    } finally {
      reader.close()
    }
    const file = await open(path, 'r+')
    await file.truncate(reader.end)
    return new ExperienceJournal(path, file, reader.end)
  }

  /** The kernel has it before this returns. @throws LostError where the disk refuses it */
  append(message: ArrayBuffer): void {
    const bytes = frame(new Uint8Array(message))
    try {
      for (let done = 0; done < bytes.length; )
        done += fs.writeSync(this.file.fd, bytes, done, bytes.length - done, this.size + done)
    } catch (error) {
      fs.ftruncateSync(this.file.fd, this.size) // half a message must not stay in front of the next one
      throw this.refused(error)
    }
    this.size += bytes.length
  }

  /** Resolves when the disk has all that was appended before; many ask for one flush. @throws LostError as `append` */
  kept(): Promise<void> {
    this.next ??= this.flushing.then(async () => {
      this.next = undefined
      this.flushing = syncHandle(this.file, this.path)
      await this.flushing.catch((error) => {
        throw this.refused(error)
      })
    })
    return this.next
  }

  private refused(error: unknown): LostError {
    const why = error instanceof InputError ? error : systemError(error, this.path)
    const what = why?.what ?? (error as Error).message
    return new LostError(this.path, what, why?.remedy ?? 'Check the disk', { cause: error })
  }

  async close(): Promise<void> {
    await this.kept().catch(() => {}) // who waits for it has heard of it
    await this.file.close()
  }
}

function expectHead(path: string, payload: Buffer | undefined, whose: { run: string; robot: string }): void {
  let head: z.infer<typeof Head> | undefined
  try {
    head = Head.parse(JSON.parse(String(payload)))
  } catch {
    throw damaged(path)
  }
  if (head.run === whose.run && head.robot === whose.robot) return
  throw new InputError(
    path,
    `is of robot "${head.robot}" of run "${head.run}", not of "${whose.robot}" of "${whose.run}"`,
    'Move it back to where it belongs',
  )
}

const damaged = (where: string) =>
  new InputError(
    where,
    'is damaged',
    'Restore it from a copy, or move it away: its robot has all of it in its own log, and sends it again',
  )
