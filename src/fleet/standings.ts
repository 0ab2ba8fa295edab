/** @file How each robot of a fleet is doing, as its learner knows it: what is drawn of it, who needs help, and why. */
import type { ActorStanding } from '../link/messages.ts'
import type { Figure, Figures } from '../metrics/figure.ts'
import { mean } from '../metrics/statistics.ts'

export const SUCCESS_WINDOW = 20 // episodes that the success looks back on
const FAILING = 0.3 // share of successes below which a robot needs help ...
const JUDGED = 10 // ... once it has made so many episodes
const SILENT = 10 // s without a word after which a robot is missed

/** What the metrics have of each robot, under "share.A" and the like. */
export const FLEET_FIGURES: readonly Figure[] = [
  { name: 'share', title: 'share', chart: 'Share of samples', unit: 'share', of: 'robot' },
  { name: 'lag', title: 'lag', chart: 'Step to replay', unit: 's', of: 'robot' },
  { name: 'policyAge', title: 'policy age', chart: 'Policy age', unit: 'updates', of: 'robot' },
  {
    name: 'robotSuccess',
    title: 'success',
    chart: `Success, last ${SUCCESS_WINDOW} episodes`,
    unit: 'share',
    of: 'robot',
  },
]

/** What is known of one robot. */
export type KnownRobot = {
  robot: string
  steps: number // that the learner has
  episodes: number
  outcomes: readonly boolean[] // of the last of them, the oldest first
  policyVersion: number | undefined // that planned its newest step
  heard: number | null // s since the last word; null where none was heard since the learner began
  here: boolean // its session stands
  does: ActorStanding['does'] | null // as it says
  lag: number | null // s
  fault: string | null
  page: string | null // where a person can tend it
}

/** The same in figures. */
export type RobotStanding = Pick<KnownRobot, 'robot' | 'steps' | 'episodes' | 'heard' | 'does' | 'lag' | 'page'> & {
  share: number // of the online steps that the learner samples from
  success: number | null // of the last episodes
  policyAge: number | null // updates that the learner has made since those that its newest step was planned with
  help: string | null // why somebody should look at it
}

/** Those that need help come first, the most urgent of them before the others; the rest in their own order. */
export function standingsOf(robots: readonly KnownRobot[], newest: number): RobotStanding[] {
  const all = robots.reduce((sum, { steps }) => sum + steps, 0)
  const standings = robots.map((known) => {
    const { robot, steps, episodes, heard, does, lag, page, policyVersion } = known
    const last = known.outcomes.slice(-SUCCESS_WINDOW)
    const success = last.length > 0 ? mean(last.map(Number)) : null
    const { help, urgency } = needOf(known, success)
    const policyAge = policyVersion === undefined ? null : Math.max(0, newest - policyVersion)
    const share = all > 0 ? steps / all : 0
    return { urgency, standing: { robot, steps, episodes, share, heard, does, lag, page, success, policyAge, help } }
  })
  return standings.sort((a, b) => b.urgency - a.urgency).map(({ standing }) => standing)
}

function needOf(
  { fault, here, heard, does, outcomes }: KnownRobot,
  success: number | null,
): { help: string | null; urgency: number } {
  if (fault !== null) return { help: fault, urgency: 3 }
  if (does === 'is done') return { help: null, urgency: 0 }
  if (!here) return { help: heard === null ? 'has not come back yet' : 'has left', urgency: 2 }
  if (heard === null || heard > SILENT) return { help: 'is silent', urgency: 2 }
  if (success !== null && success < FAILING && outcomes.length >= JUDGED)
    return { help: `succeeded in ${Math.round(100 * success)} % of its last episodes`, urgency: 1 }
  return { help: null, urgency: 0 }
}

/** As the metrics note them; what is not known is left out. */
export function figuresOfFleet(standings: readonly RobotStanding[]): Figures {
  const figures: Figures = {}
  for (const { robot, share, lag, policyAge, success } of standings) {
    const values = { share, lag, policyAge, robotSuccess: success }
    for (const [name, value] of Object.entries(values)) if (value !== null) figures[`${name}.${robot}`] = value
  }
  return figures
}
