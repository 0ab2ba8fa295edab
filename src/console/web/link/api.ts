/** @file Reads what the server keeps: runs, episodes, pictures. */
import { useEffect, useState } from 'preact/hooks'
import {
  type EpisodeDetail,
  type EpisodeEntry,
  RECORDING_PATH,
  RUNS_PATH,
  type RunDetail,
  type RunEntry,
} from '../../api.ts'

/** The address with the token of the page's own, where there is one. */
function signed(path: string): string {
  const token = new URLSearchParams(location.search).get('token')
  return token ? `${path}?token=${encodeURIComponent(token)}` : path
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(signed(path))
  const body: unknown = await response.json()
  if (response.ok) return body as T
  throw new Error((body as { error?: string }).error ?? `${path}: ${response.status}`)
}

const part = (...names: (string | number)[]) => [RUNS_PATH, ...names.map((name) => encodeURIComponent(name))].join('/')

export const api = {
  runs: () => get<RunEntry[]>(RUNS_PATH),
  run: (run: string) => get<RunDetail>(part(run)),
  episodes: (run: string, of: string) => get<EpisodeEntry[]>(part(run, of, 'episodes')),
  episode: (run: string, of: string, episode: number) => get<EpisodeDetail>(part(run, of, 'episodes', episode)),
  frame: (run: string, of: string, episode: number, step: number, camera: string) =>
    signed(part(run, of, 'episodes', episode, 'frames', step, camera)),
  recording: () => get<EpisodeDetail>(RECORDING_PATH),
  recordingFrame: (step: number, camera: string) =>
    signed(`${RECORDING_PATH}/frames/${step}/${encodeURIComponent(camera)}`),
}

export type Loaded<T> = { state: 'loading' } | { state: 'there'; value: T } | { state: 'failed'; why: string }

/** What `load` gives, anew whenever `key` changes; nothing while `key` is null. */
export function useLoaded<T>(key: string | null, load: () => Promise<T>): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { key: string | null }>({ key, state: 'loading' })
  useEffect(() => {
    if (key === null) return
    let current = true
    setLoaded({ key, state: 'loading' })
    load().then(
      (value) => current && setLoaded({ key, state: 'there', value }),
      (error: unknown) =>
        current && setLoaded({ key, state: 'failed', why: error instanceof Error ? error.message : String(error) }),
    )
    return () => {
      current = false
    }
  }, [key])
  return loaded.key === key ? loaded : { state: 'loading' }
}
