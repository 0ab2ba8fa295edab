/**
 * @file A LeRobot 3.0 of so many gigabytes, and what `duet data inspect` takes for it: seconds and memory. Its tables, indices and numbers
 * are there; where pictures would lie there are holes, which take no disk. `npx tsx scripts/large-set.ts [gigabytes]`
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { list, parquetBytes, scalar, schemaOf, whole } from '../src/formats/lerobot/write/parquet.ts'

const GIGABYTES = Number(process.argv[2] ?? 100)
const FILE = 100e6 // bytes of each data file, as LeRobot has it
const [EPISODES, FRAMES] = [10, 200] // of a file, of an episode: 50 KB a frame, two pictures of 640 × 480
const FPS = 30
const CAMERAS = ['observation.images.front', 'observation.images.wrist']
const duet = fileURLToPath(new URL('../bin/duet.mjs', import.meta.url))
const files = Math.ceil((GIGABYTES * 1e9) / FILE)
const folder = mkdtempSync(join(tmpdir(), 'duet-large-'))
const jpeg = new Uint8Array(
  await sharp({ create: { width: 8, height: 8, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer(),
)
const numbers = { dtype: 'float32', shape: [7], names: null }
const picture = { dtype: 'image' as const, shape: [480, 640, 3], names: ['height', 'width', 'channels'] }

function put(name: string, content: string | Uint8Array): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

const each = (count: number, of: (row: number) => number) => Array.from({ length: count }, (_, row) => of(row))

/** All of it but the hole. Its table of contents is found from the end, its pages from the start. */
function dataBytes(file: number): Uint8Array {
  const rows = EPISODES * FRAMES
  const values = Array.from({ length: rows }, (_, row) => Array.from({ length: 7 }, (_, i) => Math.sin(file + row + i)))
  return parquetBytes([
    ...['action', 'observation.state'].map((name) => ({
      schema: list(name, scalar('element', 'float32')),
      data: values,
    })),
    { schema: scalar('timestamp', 'float32'), data: Float32Array.from(values, (_, row) => (row % FRAMES) / FPS) },
    whole(
      'frame_index',
      each(rows, (row) => row % FRAMES),
    ),
    whole(
      'episode_index',
      each(rows, (row) => EPISODES * file + Math.floor(row / FRAMES)),
    ),
    whole(
      'index',
      each(rows, (row) => rows * file + row),
    ),
    whole(
      'task_index',
      each(rows, () => 0),
    ),
    ...CAMERAS.map((name) => ({
      schema: schemaOf(name, picture),
      data: values.map(() => ({ bytes: jpeg, path: null })),
    })),
  ])
}

function putData(file: number): void {
  const bytes = Buffer.from(dataBytes(file))
  const contents = bytes.readUInt32LE(bytes.length - 8) + 8
  const path = join(folder, nameOf(file))
  mkdirSync(dirname(path), { recursive: true })
  const handle = openSync(path, 'w')
  writeSync(handle, bytes, 0, bytes.length - contents, 0)
  writeSync(handle, bytes, bytes.length - contents, contents, FILE - contents)
  closeSync(handle)
}

const digits = (value: number) => String(value).padStart(3, '0')
const nameOf = (file: number) => `data/chunk-${digits(Math.floor(file / 1000))}/file-${digits(file % 1000)}.parquet`

try {
  const episodes = EPISODES * files
  for (let file = 0; file < files; file++) putData(file)
  const info = {
    ...{ codebase_version: 'v3.0', robot_type: 'arm', fps: FPS, chunks_size: 1000 },
    ...{ total_episodes: episodes, total_frames: episodes * FRAMES, total_tasks: 1 },
    data_path: 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
    video_path: null,
    features: {
      ...{ action: numbers, 'observation.state': numbers },
      ...Object.fromEntries(CAMERAS.map((name) => [name, picture])),
    },
  }
  put('meta/info.json', JSON.stringify(info))
  put(
    'meta/tasks.parquet',
    parquetBytes([
      { schema: scalar('task', 'string'), data: ['pick'] },
      whole(
        'task_index',
        each(1, () => 0),
      ),
    ]),
  )
  const described = parquetBytes([
    whole(
      'episode_index',
      each(episodes, (row) => row),
    ),
    whole(
      'length',
      each(episodes, () => FRAMES),
    ),
    whole(
      'data/chunk_index',
      each(episodes, (row) => Math.floor(row / EPISODES / 1000)),
    ),
    whole(
      'data/file_index',
      each(episodes, (row) => Math.floor(row / EPISODES) % 1000),
    ),
    { schema: list('tasks', scalar('element', 'string')), data: Array.from({ length: episodes }, () => ['pick']) },
  ])
  put('meta/episodes/chunk-000/file-000.parquet', described)
  const stats = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(folder, name)))
  const sum = (of: (one: (typeof stats)[number]) => number) => stats.reduce((total, one) => total + of(one), 0)
  const told = { files, episodes, frames: episodes * FRAMES, gigabytes: sum(({ size }) => size) / 1e9 }
  const atExit = 'process.on("exit", () => process.stderr.write("\\npeak " + process.resourceUsage().maxRSS))'
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(atExit)}`,
      duet,
      'data',
      'inspect',
      folder,
      '--json',
      '--out',
      join(folder, 'sheet.png'),
    ],
    { encoding: 'utf8', maxBuffer: 1e8 },
  )
  const seconds = (performance.now() - began) / 1000
  if (status !== 0) throw new Error(stderr)
  const look = JSON.parse(stdout)
  if (look.frames !== told.frames || look.episodes !== episodes || look.oddities.length > 0)
    throw new Error(stdout.slice(0, 1000))
  const peak = Number(/peak (\d+)/.exec(stderr)![1]) / 1024
  process.stdout.write(
    `${told.gigabytes.toFixed(1)} GB (${(sum(({ blocks }) => 512 * blocks) / 1e9).toFixed(2)} GB of disk), ${files} files, ${episodes} episodes, ${told.frames} frames: duet data inspect took ${seconds.toFixed(1)} s and ${peak.toFixed(0)} MiB at most\n`,
  )
} finally {
  rmSync(folder, { recursive: true })
}
