/** @file Answers over HTTP: the page's files, and what `api.ts` lists. Reads only, and nothing outside its folders. */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { InputError } from '../../errors.ts'
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import { requestPath } from '../../request-path.ts'
import type { Image } from '../../robot/robot.ts'
import type { EpisodeDetail, EpisodeEntry, RunDetail, RunEntry } from '../api.ts'
import { detailOf } from './episode-detail.ts'
import type { RunObserver } from './observer.ts'
import { toJpeg } from './pictures.ts'

/** The runs that may be looked at. Names and parts come from outside: what it does not know itself is not there. */
export interface Library {
  list(): RunEntry[]
  run(run: string): RunDetail
  episodes(run: string, part: string): Promise<EpisodeEntry[]>
  episode(run: string, part: string, episode: number): Promise<EpisodeDetail>
  image(run: string, part: string, episode: number, step: number, camera: string): Promise<Image>
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}
const FILE_NAME = /^(?:assets\/)?[\w-]+(?:\.[\w-]+)*\.\w+$/

const MALFORMED = 'the address is malformed'

type Parts = { observer: Pick<RunObserver, 'live'>; library: Library; page: string }
type Content = { type: string; body: Uint8Array | string; lasting?: boolean }

/** Never throws; errors are told to whoever asked. */
export async function answerRequest(request: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') return fail(response, 405, 'only GET is answered')
    const asked = requestPath(request)
    if (asked === undefined) return fail(response, 400, MALFORMED)
    const path = decodeURIComponent(asked)
    const content = path.startsWith('/api/') ? await resource(path, parts) : await file(path, parts.page)
    if (!content) return fail(response, 404, `there is nothing at ${path}`)
    response.writeHead(200, {
      'Content-Type': content.type,
      'Cache-Control': content.lasting ? 'private, max-age=31536000, immutable' : 'no-store',
    })
    response.end(request.method === 'HEAD' ? undefined : content.body)
  } catch (error) {
    if (error instanceof InputError) return fail(response, 404, error.message)
    if (error instanceof URIError) return fail(response, 400, MALFORMED)
    fail(response, 500, (error as Error).message)
  }
}

function fail(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify({ error }))
}

/** The page's own files have plain names, so no path leads out of its folder. */
async function file(path: string, folder: string): Promise<Content | undefined> {
  const name = path === '/' ? 'index.html' : path.slice(1)
  const type = TYPES[extname(name)]
  if (!type || !FILE_NAME.test(name)) return undefined
  try {
    return { type, body: await readFile(join(folder, name)), lasting: name.startsWith('assets/') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    if (name === 'index.html')
      throw new InputError(folder, 'holds no page', 'Build it with `npm run build`', { cause: error })
    return undefined
  }
}

const json = (value: unknown): Content => ({ type: 'application/json', body: JSON.stringify(value) })
const picture = async (image: Image): Promise<Content> => ({ type: 'image/jpeg', body: await toJpeg(image) })
const whole = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : Number.NaN)

async function resource(path: string, { library, observer }: Parts): Promise<Content | undefined> {
  const [, , kind, ...rest] = path.split('/')
  if (kind === 'recording') return recording(rest, observer)
  if (kind !== 'runs') return undefined
  const [run, part, word, episode, frames, step, camera, ...more] = rest
  if (run === undefined) return json(library.list())
  if (part === undefined) return json(library.run(run))
  if (word !== 'episodes' || more.length > 0) return undefined
  if (episode === undefined) return json(await library.episodes(run, part))
  if (frames === undefined) return json(await library.episode(run, part, whole(episode)))
  if (frames !== 'frames' || step === undefined || camera === undefined) return undefined
  return picture(await library.image(run, part, whole(episode), whole(step), camera))
}

async function recording(
  [word, step, camera, ...more]: string[],
  { live }: Parts['observer'],
): Promise<Content | undefined> {
  const episode = live?.recording.finished
  if (!live || !episode || more.length > 0) return undefined
  const { rig, view } = live.inFocus
  if (word === undefined) return json(detailOf(episode, rig.robot.spec, view.cameras, live.config))
  if (word !== 'frames' || step === undefined || camera === undefined) return undefined
  return picture(loggedImage(episode, whole(step), camera))
}

/** @throws InputError if there is no such step or camera */
export function loggedImage({ observations, start }: LoggedEpisode, step: number, camera: string): Image {
  const images = observations[step]?.images
  if (!images || !Object.hasOwn(images, camera))
    throw new InputError(`episode ${start.episode}`, `has no step ${step} of camera "${camera}"`, 'Ask for another')
  return images[camera]!
}
