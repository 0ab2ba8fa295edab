/** @file How a fleet is, for who looks on: its learner keeps it in a file of the run, which `duet fleet status` and the console read. */
import { existsSync, readFileSync } from 'node:fs'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { percent } from '../metrics/percent.ts'
import type { FleetFolder } from './folder.ts'
import type { RobotStanding } from './standings.ts'
import type { VersionEntry, VersionsNow } from './versions.ts'

export type FleetStatus = {
  at: number // ms since 1970, on the learner's clock
  robots: readonly RobotStanding[] // those that need help first
  versions: VersionsNow
  kept: readonly VersionEntry[] // versions that one can go back to, the oldest first
}

export const writeStatus = ({ status }: FleetFolder, told: FleetStatus): void =>
  writeWhole(status, JSON.stringify(told))

/** Of a learner of this version, which may have ended since. @throws InputError where none has told of itself */
export function readStatus({ status, path }: FleetFolder): FleetStatus {
  if (!existsSync(status))
    throw new InputError(path, 'tells of no fleet yet', 'Start its learner: duet fleet up, or duet learner')
  return JSON.parse(readFileSync(status, 'utf8')) as FleetStatus
}

const seconds = (value: number | null) =>
  value === null ? '–' : `${value < 10 ? value.toFixed(2) : value.toFixed(0)} s`

/** Lines for a terminal. `now`: as `at`. */
export function statusInWords({ at, robots, versions, kept }: FleetStatus, now: number): string[] {
  const age = Math.max(0, Math.round((now - at) / 1000))
  const rows = robots.map(({ robot, share, lag, policyAge, success, episodes, heard, does, help }) => [
    robot,
    percent(share),
    seconds(lag),
    policyAge === null ? '–' : `${policyAge}`,
    success === null ? '–' : percent(success),
    String(episodes),
    seconds(heard),
    help ?? does ?? '–',
  ])
  const head = ['robot', 'samples', 'lag', 'policy age', 'success', 'episodes', 'heard', '']
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [
    `As of ${age} s ago.${age > 10 ? ' The learner may have ended.' : ''}`,
    ...(rows.length > 0 ? [line(head), ...rows.map(line)] : ['No robot has joined yet.']),
    ...versionsInWords(versions),
    `Kept: ${kept.length === 0 ? 'none yet' : kept.map(({ version }) => version).join(', ')}`,
  ]
}

function versionsInWords({ newest, acting, chosen, failed }: VersionsNow): string[] {
  const lines = [`Robots get version ${acting ?? '–'}; the learner is at ${newest ?? '–'}.`]
  if (chosen) lines.push(`${chosen.by} went back to version ${chosen.version} at ${chosen.at}.`)
  if (failed) lines.push(`Version ${failed.version} failed its trial: ${failed.successes} of ${failed.trials}.`)
  return lines
}
