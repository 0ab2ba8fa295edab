/** @file What the page knows, and how each event from the server changes it. Pure. */

import type { Actor } from '../../../replay/transition.ts'
import { append, type Board, boardAfter, EMPTY_BOARD } from '../../board.ts'
import { type ServerEvent, TIMES } from '../../protocol.ts'

export type Notice = { id: number; words: string; at: number /* ms, page's clock */ }

/** The board, on the page's clock, and what only this page knows. */
export type Model = Board & {
  link: 'connecting' | 'open' | 'lost' | 'outdated'
  lostAt: number | null // ms, page's clock
  notices: readonly Notice[]
  sceneAt: number // ms, page's clock, when a scene was asked for last
  late: { age: number; until: number } | null // the page's inputs are too old on arrival; `until` on the page's clock
}

export const START: Model = { ...EMPTY_BOARD, link: 'connecting', lostAt: null, notices: [], late: null, sceneAt: 0 }

const NOTICES = 4
const NOTICE_SHOWN = 6000 // ms
const LATE_SHOWN = 3 * TIMES.lateEvery

/** `now`: ms on the page's clock. */
export function reduce(model: Model, event: ServerEvent, now: number): Model {
  switch (event.kind) {
    case 'hello':
      // a new connection: what the server will tell again is forgotten, what only the page knows stays
      return boardAfter({ ...START, notices: model.notices, link: 'open' }, event, now)
    case 'late':
      return { ...model, late: { age: event.age, until: now + LATE_SHOWN } }
    case 'scene':
      return { ...boardAfter(model, event, now), sceneAt: event.waits ? now : model.sceneAt }
    case 'refused':
      return noted(model, `Not done (${event.what}): ${event.why}`, now)
    default:
      return boardAfter(model, event, now)
  }
}

let notices = 0

/** Something to tell the person, for a few seconds. */
export function noted(model: Model, words: string, now: number): Model {
  return { ...model, notices: append(current(model.notices, now), { id: ++notices, words, at: now }, NOTICES) }
}

/** Without the notices whose time is over. */
export const current = (list: readonly Notice[], now: number) => list.filter(({ at }) => now - at < NOTICE_SHOWN)

export const lost = (model: Model, now: number): Model => ({
  ...model,
  link: 'lost',
  lostAt: model.lostAt ?? now,
})

/** Are there robots at the other end, as far as the page knows? Of runs that are over, and for a fleet's learner, there are none. */
export const operated = ({ hello }: Model) => (hello?.mode ?? 'live') === 'live'

/** The scene that the robot waits for which is shown: while another one waits for its own, this one's episode may go on. */
export const sceneInFocus = ({ scene, state }: Model) => (state && scene?.robot !== state.robot ? null : scene)

/** Does this page have control? */
export const inControl = ({ control, hello }: Model) =>
  control?.holder != null && hello !== null && control.holder.client === hello.client

/** Who is said to act: "stopped" only when the robot has been read back. */
export function acting({ robot, state, control }: Model): Actor | 'stopped' {
  if (robot?.status === 'stopped') return 'stopped'
  if (control?.holding && state?.stage !== 'evaluation') return 'operator'
  return state?.actor ?? 'primary'
}
