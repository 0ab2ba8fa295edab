/** @file The logs of a run, its demonstrations among them: looked over before anything is read, and repaired. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { InputError } from '../errors.ts'
import { checkLog, type Damage, type LogCheck } from '../replay/check.ts'
import { segmentsOf } from '../replay/log-files.ts'
import { type Repair, repairLog } from '../replay/repair.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { describeRobot } from '../robots/index.ts'
import type { RunConfig } from './config.ts'
import { RunFolder } from './folder.ts'

/** `robot` is known of the logs of a run. `own`: the run's, not demonstrations that lie elsewhere and may be others', too. */
export type PlacedLog = { folder: string; robot?: RobotSpec; own: boolean }

type Config = Pick<RunConfig, 'robot' | 'demonstrations'>
type OnShare = (share: number) => void

/** The logs in a run folder, or that of a log folder and of further cells in it. @throws InputError if there are none */
export function logsAt(path: string): PlacedLog[] {
  const folder = new RunFolder(path)
  const logs = existsSync(folder.config) ? logsOf(folder, RunFolder.open(path).config) : cellsOf(folder.path, true)
  if (logs.length === 0) throw new InputError(path, 'holds no log', 'Give a run folder, its log, or demonstrations')
  return logs
}

/** The logs that a run reads when it is opened. */
export function logsOf(folder: RunFolder, { robot, demonstrations }: Config): PlacedLog[] {
  const elsewhere = demonstrations.path !== undefined
  const roots = [
    { root: demonstrations.path ?? folder.demonstrations, own: !elsewhere },
    { root: folder.log, own: true },
  ]
  return roots.flatMap(({ root, own }) =>
    cellsOf(root, own).map((log) => {
      const cell = log.folder === resolve(root) ? robot.cells[0]! : basename(log.folder)
      return robot.cells.some((known) => known === cell) ? { ...log, robot: describeRobot(robot, cell) } : log
    }),
  )
}

/** The folder itself and those of cells in it, as far as they hold segments. */
function cellsOf(root: string, own: boolean): PlacedLog[] {
  if (!existsSync(root)) return []
  const within = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const folders = [resolve(root), ...within.map(({ name }) => resolve(root, name))]
  return folders.filter((folder) => segmentsOf(folder).length > 0).map((folder) => ({ folder, own }))
}

/** `pictures` as for `checkLog`. */
export async function checkLogs(
  logs: readonly PlacedLog[],
  onShare?: OnShare,
  pictures?: boolean,
): Promise<LogCheck[]> {
  const checks: LogCheck[] = []
  for (const [k, { folder, robot }] of logs.entries())
    checks.push(await checkLog(folder, robot, (share) => onShare?.((k + share) / logs.length), pictures))
  return checks
}

/** Repairs what is damaged, all files of all logs, but for those that may be others', too. @throws InputError */
export async function repairLogs(logs: readonly PlacedLog[], onShare?: OnShare): Promise<Repair[]> {
  const repairs: Repair[] = []
  const own = logs.filter((log) => log.own)
  for (const [k, { folder, robot }] of own.entries())
    repairs.push(...(await repairLog(folder, robot, (share) => onShare?.((k + share) / own.length))))
  return repairs
}

/** Pictures are not looked at: whoever needs one reads it. @throws InputError in one line: the first damage, how many more there are, and what helps */
export async function expectWholeLogs(folder: RunFolder, config: Config, onShare?: OnShare): Promise<void> {
  const logs = logsOf(folder, config)
  const checks = await checkLogs(logs, onShare, false)
  const found = checks.flatMap(({ files }, k) =>
    files.flatMap(({ file, damage }) => damage.map((one) => ({ file, one, log: logs[k]! }))),
  )
  const [first] = found
  if (!first) return
  const more = found.length > 1 ? `, and ${found.length - 1} more` : ''
  const orResume = first.log.own ? ', or resume with --without-damaged' : ''
  const remedy = `Keep all episodes that are whole: ${repairCommand(first.log, folder.path)}${orResume}`
  throw new InputError(first.file, `${describeDamage(first.one)}${more}`, remedy)
}

/** `path`: of the run, or what was given in its place. */
export const repairCommand = ({ own, folder }: PlacedLog, path: string) => `duet log repair ${own ? path : folder}`

/** "episode 7, step 12, byte 30211: has NaN in proprio[3]" */
export function describeDamage({ episode, step, offset, what }: Damage): string {
  const where = [episode !== null && `episode ${episode}`, step !== null && `step ${step}`].filter(Boolean)
  return `${[...where, `byte ${offset}`].join(', ')}: ${what}`
}

/** One line a damaged place, and one that says what was kept. */
export const describeRepair = ({ check: { file, damage, episodes }, original }: Repair): string[] => [
  ...damage.map((one) => `${file}: damaged: ${describeDamage(one)}`),
  `${file}: repaired, with the whole episodes, ${episodes.length}; as it was: ${basename(original)}`,
]

/** As it is told: seen from the folder that was given. */
export const placeIn = (path: string, file: string) => relative(resolve(path), file) || join('.', basename(file))
