/** @file meta/info.json of a LeRobot dataset: what it declares of itself. The files decide; this says what to expect of them. */
import { InputError } from '../../errors.ts'
import { parseJsonBytes } from '../json.ts'

export const INFO_FILE = 'meta/info.json'

/** `depth` is not read: it has no place in an observation. `other`: text, or anything else that is no number. */
export type FeatureKind = 'number' | 'image' | 'video' | 'depth' | 'other'

export type Feature = {
  name: string
  kind: FeatureKind
  dtype: string // as declared
  shape: readonly number[] // as declared
  names: readonly string[] // of its entries; none where it gives none
}

export type SetInfo = {
  version: string | null // "2.0", "2.1", "3.0"; null where the file says none
  fps: number
  robotType: string | null
  features: Map<string, Feature>
  dataPath: string | null // templates
  videoPath: string | null
  chunkSize: number
  declared: { episodes: number | null; frames: number | null; tasks: number | null }
}

const VERSIONS = ['2.0', '2.1', '3.0']
const REMEDY = 'Restore it from a copy of the dataset'

/** @throws InputError naming file and field, for another version too */
export function parseInfo(bytes: Uint8Array, path: string): SetInfo {
  const info = parseJsonBytes(bytes, path, REMEDY)
  if (!isObject(info)) throw new InputError(path, 'is no object with "features" and "fps"', REMEDY)
  const twice = doubleKey(new TextDecoder().decode(bytes))
  if (twice !== null)
    throw new InputError(path, `names "${twice}" twice`, 'Rename one of the two, in the files as well')
  const version = versionOf(info.codebase_version, path)
  const fps = Number(info.fps)
  if (!(fps > 0 && Number.isFinite(fps)))
    throw new InputError(path, `"fps" is ${JSON.stringify(info.fps)}`, 'Write the frames a second, as "fps": 30')
  if (!isObject(info.features)) throw new InputError(path, 'has no "features"', REMEDY)
  const features = Object.entries(info.features).map(([name, told]) => [name, featureOf(name, told, path)] as const)
  return {
    version,
    fps,
    robotType: typeof info.robot_type === 'string' ? info.robot_type : null,
    features: new Map(features),
    dataPath: typeof info.data_path === 'string' ? info.data_path : null,
    videoPath: typeof info.video_path === 'string' ? info.video_path : null,
    chunkSize: countOf(info.chunks_size) || 1000,
    declared: {
      episodes: countOf(info.total_episodes),
      frames: countOf(info.total_frames),
      tasks: countOf(info.total_tasks),
    },
  }
}

function versionOf(told: unknown, path: string): string | null {
  if (told === undefined || told === null) return null
  const version = String(told).replace(/^v/, '')
  if (VERSIONS.includes(version)) return version
  throw new InputError(
    path,
    `is of version ${String(told)}; ${VERSIONS.map((known) => `v${known}`).join(', ')} are read`,
    'Convert the dataset with LeRobot, which comes with a converter for each version',
  )
}

const IMAGE_DTYPES = ['image', 'video']
const NUMBER = /^(u?int|float)\d*$|^(bool|boolean|double)$/

function featureOf(name: string, told: unknown, path: string): Feature {
  if (!isObject(told)) throw new InputError(path, `feature "${name}" is no object`, REMEDY)
  const dtype = String(told.dtype ?? '')
  const shape = Array.isArray(told.shape) ? told.shape.map(Number) : []
  const names = IMAGE_DTYPES.includes(dtype) ? [] : namesIn(told.names)
  const again = names.find((one, i) => names.indexOf(one) !== i)
  if (again !== undefined && names.length === size(shape))
    throw new InputError(path, `feature "${name}" has two entries called "${again}"`, 'Rename one of them')
  return { name, kind: kindOf(name, dtype, told), dtype, shape, names }
}

function kindOf(name: string, dtype: string, told: Record<string, unknown>): FeatureKind {
  const details = [told, told.info, told.video_info].filter(isObject)
  const isDepth = details.some((one) => one.is_depth_map === true || one['video.is_depth_map'] === true)
  if (isDepth || (IMAGE_DTYPES.includes(dtype) && /(^|[._])depth($|[._])/.test(name))) return 'depth'
  if (dtype === 'image' || dtype === 'video') return dtype
  return NUMBER.test(dtype) ? 'number' : 'other'
}

/** Flat, nested, under any key; an object of numbers names them by its keys. */
function namesIn(told: unknown): string[] {
  if (typeof told === 'string') return [told]
  if (Array.isArray(told)) return told.flatMap(namesIn)
  if (!isObject(told)) return []
  const values = Object.values(told)
  return values.every((value) => typeof value === 'number') ? Object.keys(told) : values.flatMap(namesIn)
}

const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1)

const countOf = (told: unknown) => (typeof told === 'number' && Number.isInteger(told) && told >= 0 ? told : null)

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON.parse keeps the last of two entries of one name without a word; the first name that an object has twice, or null. */
function doubleKey(text: string): string | null {
  const open: Set<string>[] = []
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, -1)) as string
      if (open.at(-1)?.has(key)) return key
      open.at(-1)?.add(key)
    }
  }
  return null
}
