/** @file Safetensors files read one tensor at a time: a single file, or shards with their index. */
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InputError } from '../errors.ts'
import { type ByteSource, fileSource } from './byte-source.ts'
import { readJson } from './json.ts'
import { readTensorHeader } from './safetensors-header.ts'
import { type PlacedTensor, type TensorFile, tensorFile } from './tensor-file.ts'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'

/**
 * `path` is a .safetensors file, an index of shards (.json), or a folder with model.safetensors or its index.
 * Only headers are read. @throws InputError that names the file and the field, if anything is damaged or inconsistent
 */
export async function openSafetensors(path: string): Promise<TensorFile> {
  const file = await resolveFolder(path)
  return file.endsWith('.json') ? openShards(file) : openFiles(file, [file])
}

async function resolveFolder(path: string): Promise<string> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory()
  if (!isFolder) return path
  for (const name of [SINGLE, INDEX]) {
    const file = join(path, name)
    if ((await stat(file).catch(() => undefined))?.isFile()) return file
  }
  throw new InputError(path, `has no ${SINGLE} and no ${INDEX}`, 'Give the folder of a published model')
}

async function openFiles(path: string, files: readonly string[]): Promise<TensorFile> {
  const sources: ByteSource[] = []
  const tensors = new Map<string, PlacedTensor>()
  const shared: [name: string, other: string][] = [] // tied weights, saved once: the header says under which name
  try {
    for (const file of files) {
      const source = await fileSource(file)
      sources.push(source)
      const { entries, metadata, dataStart } = readTensorHeader(source)
      for (const { name, dtype, shape, from, to } of entries) {
        if (tensors.has(name))
          throw new InputError(`${file}, tensor "${name}"`, 'is in another shard too', 'Download the shards again')
        const bytes = to - from
        tensors.set(name, { dtype, shape, bytes, pieces: [{ source, position: dataStart + from, bytes }] })
      }
      for (const [name, other] of Object.entries(metadata)) if (tensors.has(other)) shared.push([name, other])
    }
  } catch (error) {
    await Promise.all(sources.map((source) => source.close()))
    throw error
  }
  for (const [name, other] of shared) if (!tensors.has(name)) tensors.set(name, tensors.get(other)!)
  return tensorFile(path, tensors, sources)
}

/** The index maps tensor names to file names beside it; files and index must agree. */
async function openShards(index: string): Promise<TensorFile> {
  const shardOf = await readIndex(index)
  const names = [...new Set(Object.values(shardOf))].sort()
  const file = await openFiles(
    index,
    names.map((name) => join(dirname(index), name)),
  )
  const missing = Object.keys(shardOf).find((name) => !file.tensors.has(name))
  if (missing === undefined) return file
  await file.close()
  throw new InputError(`${index}, weight_map`, `names "${missing}", which no shard has`, 'Download the shards again')
}

async function readIndex(path: string): Promise<Record<string, string>> {
  const json = await readJson(path, 'Download it again')
  const map = typeof json === 'object' && json !== null ? (json as Record<string, unknown>).weight_map : undefined
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new InputError(`${path}, weight_map`, 'is not an object', 'Download it again')
  for (const [name, shard] of Object.entries(map))
    if (typeof shard !== 'string' || shard !== basename(shard) || !shard.endsWith('.safetensors'))
      throw new InputError(
        `${path}, weight_map, "${name}"`,
        `is ${JSON.stringify(shard)}, not the name of a .safetensors file beside it`,
        'Download it again',
      )
  return map as Record<string, string>
}
