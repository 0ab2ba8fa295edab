/** @file A parquet file on disk: its columns and row groups are known when it is opened, its rows are read when they are asked for. */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { InputError } from '../../errors.ts'
import { LARGEST_POINTER, refusePointer } from '../lfs-pointer.ts'

const REMEDY = 'Fetch the file again'
const FOOTER = 1 << 16 // bytes read at once from the end; more where a footer is longer

export type ParquetRow = Record<string, unknown>
export type RowGroup = { first: number; rows: number; metadata: FileMetaData['row_groups'][number] }

export class ParquetFile {
  /** @throws InputError if it is missing, cut, a Git LFS pointer or no parquet file */
  static async open(path: string): Promise<ParquetFile> {
    const handle = await openFile(path)
    try {
      const file = await bufferOf(handle)
      await expectParquet(file, path)
      const metadata = await parquetMetadataAsync(file, { initialFetchSize: FOOTER })
      return new ParquetFile(path, metadata)
    } catch (error) {
      throw error instanceof InputError ? error : damaged(path, error)
    } finally {
      await handle.close()
    }
  }

  readonly rows: number
  readonly columns: readonly string[] // may name one twice
  readonly groups: readonly RowGroup[]

  private constructor(
    readonly path: string,
    private readonly metadata: FileMetaData,
  ) {
    this.rows = Number(metadata.num_rows)
    this.columns = topLevel(metadata)
    let first = 0
    this.groups = metadata.row_groups.map((group) => {
      const rows = Number(group.num_rows)
      const placed = { first, rows, metadata: group }
      first += rows
      return placed
    })
  }

  /** Rows from `from` to before `to`, with these columns only. @throws InputError if they cannot be read */
  async read(columns: readonly string[], from = 0, to = this.rows): Promise<ParquetRow[]> {
    const handle = await openFile(this.path)
    try {
      return await parquetReadObjects({
        file: await bufferOf(handle),
        metadata: this.metadata,
        columns: [...columns],
        rowStart: from,
        rowEnd: to,
        compressors,
        utf8: false,
        useOffsetIndex: true,
      })
    } catch (error) {
      throw error instanceof InputError ? error : damaged(this.path, error)
    } finally {
      await handle.close()
    }
  }

  /** The one value that a column has in all of a row group, where the file's statistics say so. */
  onlyValue({ metadata }: RowGroup, column: string): number | null {
    const chunk = metadata.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column)?.meta_data
    const { min_value: low, max_value: high, null_count: nulls } = chunk?.statistics ?? {}
    if (low === undefined || high === undefined || Number(nulls ?? 0) !== 0) return null
    return Number(low) === Number(high) && Number.isFinite(Number(low)) ? Number(low) : null
  }
}

/** @throws InputError if it cannot be opened */
async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (cause) {
    throw new InputError(path, 'is missing, or cannot be read', REMEDY, { cause })
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size: byteLength } = await handle.stat()
  return {
    byteLength,
    async slice(from, to = byteLength) {
      const start = from < 0 ? byteLength + from : from
      const bytes = new Uint8Array(to - start)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start)
      return bytes.buffer.slice(0, bytesRead)
    },
  }
}

/** Whole by what stands at its two ends. @throws InputError */
async function expectParquet(file: AsyncBuffer, path: string): Promise<void> {
  const bytes = async (from: number, to: number) => new Uint8Array(await file.slice(Math.max(0, from), to))
  const { byteLength } = file
  const start = await bytes(0, Math.min(byteLength, LARGEST_POINTER))
  refusePointer(path, start, 'Run `git lfs pull` in the dataset')
  const isMark = (mark: Uint8Array) => new TextDecoder().decode(mark) === 'PAR1'
  if (!isMark(start.subarray(0, 4))) throw new InputError(path, 'is no parquet file', REMEDY)
  if (isMark(await bytes(byteLength - 4, byteLength))) return
  throw new InputError(path, 'is cut short: a parquet file ends with its table of contents', REMEDY)
}

const damaged = (path: string, cause: unknown) =>
  new InputError(path, `is damaged (${cause instanceof Error ? cause.message : String(cause)})`, REMEDY, { cause })

function topLevel({ schema }: FileMetaData): string[] {
  const names: string[] = []
  const skip = (at: number): number => {
    let next = at + 1
    for (let child = 0; child < (schema[at]!.num_children ?? 0); child++) next = skip(next)
    return next
  }
  for (let at = 1; at < schema.length; at = skip(at)) names.push(schema[at]!.name)
  return names
}

export const bytesIn = async (path: string): Promise<number> => (await stat(path)).size

/** A number as parquet files hold it, whatever its type; null for anything else. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value)
  return null
}

/** Text as it is read with utf8 off; null for anything else. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : null
}
