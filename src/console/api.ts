/**
 * @file What the console's server tells over HTTP, as JSON and JPEG: runs on disk, their episodes and frames. Read only.
 * The page imports this file, so it needs nothing but the language.
 *
 *     GET /api/runs                                                      RunEntry[]
 *     GET /api/runs/<run>                                                RunDetail
 *     GET /api/runs/<run>/<part>/episodes                                EpisodeEntry[]
 *     GET /api/runs/<run>/<part>/episodes/<episode>                      EpisodeDetail
 *     GET /api/runs/<run>/<part>/episodes/<episode>/frames/<step>/<camera>   image/jpeg
 *     GET /api/recording                                                 EpisodeDetail of the demonstration in review, or 404
 *     GET /api/recording/frames/<step>/<camera>                          image/jpeg
 *
 * `part` is one of RunDetail.parts ("online", "demonstrations", "recorded"; of a further robot "online@B"). `step` k is the
 * observation before step k; the last one is k = length. Where the server asks for a token, give ?token=... Errors are
 * { error } with a status of 4xx.
 */
import type { Metric } from '../metrics/metrics.ts'
import type { Summary } from '../metrics/summary.ts'
import type { Actor } from '../replay/transition.ts'
import type { CameraInfo, Vector3 } from './protocol.ts'

export const RUNS_PATH = '/api/runs'
export const RECORDING_PATH = '/api/recording'

export type RunEntry = {
  run: string // its folder's name
  live: boolean // it is the one that goes on in this program
  finished: boolean // it has a summary that can be read
  started: number // ms since 1970
  summary: Summary | null
}

export type RunDetail = RunEntry & {
  settings: Record<string, unknown> // the resolved config
  metrics: Metric[]
  rate: number | null // Hz of its robot, as its log says
  parts: string[]
}

export type EpisodeEntry = {
  episode: number
  task: string
  seed: number | null
  ending: 'success' | 'failure' | 'timeout' | 'abort' | 'interrupted'
  length: number // steps
  operatorSteps: number
  spokenSteps: number // under a command
}

export type StepDetail = {
  action: number[] // [7] as executed
  motion: Vector3 // metres, as commanded
  actor: Actor
  command: string | null
  label: string | null // what the correction at this step says, in the words of the label rule
  reward: number
  terminated: boolean
  truncated: boolean
}

/** `steps` has T entries; `tcp`, `gripper` have T + 1, one an observation. */
export type EpisodeDetail = EpisodeEntry & {
  cameras: CameraInfo[]
  proprio: string[] // names and units
  observations: number[][] // [T + 1][proprio]
  tcp: ({ position: Vector3; rotation: readonly [number, number, number, number] } | null)[]
  steps: StepDetail[]
}
