/**
 * @file What a run recorded, as a LeRobot dataset: its demonstrations and the episodes of its policy, those that have ended. It can be
 * asked again while the run goes on, and takes what is new.
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { InputError } from '../errors.ts'
import { DatasetWriter } from '../formats/lerobot/write/writer.ts'
import { type Followed, LogFollower } from '../replay/log-follower.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { LABEL_DEFAULTS } from '../talk/labels.ts'
import { openTranslator, ruleTranslator, type Translator } from '../talk/translator.ts'
import type { RunConfig } from './config.ts'
import { RunFolder } from './folder.ts'
import { translatorSettings } from './label-rule.ts'
import { lock } from './lock.ts'
import { checkLogs, describeDamage, logsAt, repairCommand } from './logs.ts'

export type ExportOptions = {
  video?: boolean
  /** Of a run that goes on, which has looked over its logs itself. */
  live?: boolean
  onEpisode?: (done: number) => void
}

/** `taken`: episodes that were new to the set. `empty`: those without a step, which no set can hold. */
export type Exported = { folder: string; episodes: number; frames: number; taken: number; empty: number }

type Source = { name: string; follower: LogFollower; spec?: RobotSpec }

export class RunExport {
  private readonly sources = new Map<string, Source>()
  private taken = 0
  private empty = 0

  private constructor(
    private readonly path: string, // of the run, or a log
    private readonly config: RunConfig | undefined,
    private readonly writer: DatasetWriter,
    private readonly options: ExportOptions,
    private readonly release: () => void,
  ) {}

  /** @throws InputError before anything is written, if the run's logs are damaged or `folder` holds something else */
  static async open(path: string, folder: string, options: ExportOptions = {}): Promise<RunExport> {
    const run = [path, dirname(resolve(path))].find((place) => existsSync(new RunFolder(place).config))
    const config = run === undefined ? undefined : RunFolder.open(run).config
    if (!options.live) await expectWhole(path)
    const unlock = lock(folder) // two writers would take each other's files
    const release = () => {
      unlock()
      if (readdirSync(folder).length === 0) rmdirSync(folder)
    }
    try {
      return new RunExport(path, config, await DatasetWriter.open(folder, options), options, release)
    } catch (error) {
      release()
      throw error
    }
  }

  /** Takes all episodes that have ended and are not in the set. */
  async advance(): Promise<Exported> {
    for (const { folder, robot } of this.logs()) {
      const name = relative(resolve(this.path), folder) || basename(folder)
      const source = this.sources.get(folder) ?? { name, follower: new LogFollower(folder, robot), spec: robot }
      this.sources.set(folder, source)
      for (const followed of source.follower.next()) await this.take(source, followed)
    }
    return { ...this.counts, taken: this.taken, empty: this.empty }
  }

  /** A folder that got nothing is gone again. */
  close(): void {
    try {
      this.writer.close()
    } finally {
      this.release()
    }
  }

  private get counts() {
    const { folder, episodes, frames } = this.writer
    return { folder, episodes, frames }
  }

  private logs() {
    try {
      return logsAt(this.path)
    } catch (error) {
      if (this.options.live && error instanceof InputError) return [] // nothing has been recorded yet
      throw error
    }
  }

  private async take({ name, spec }: Source, { robot, episode }: Followed): Promise<void> {
    const { start, steps } = episode
    if (this.writer.has(name, start.episode)) return
    if (steps.length === 0) {
      this.empty++
      return
    }
    const corrected = steps.map((step) => ({
      ...step,
      intervened: start.source === 'online' && step.actor === 'operator',
    }))
    const labels = this.translator(robot)?.label(corrected) ?? steps.map(() => null)
    const task = spec?.tasks[start.task]?.instruction ?? start.task
    await this.writer.append({ robot, log: name, task, episode, labels })
    this.taken++
    this.options.onEpisode?.(this.taken)
  }

  /** As the run's learner has it; none where commands name directions of another frame than the actions are in. */
  private translator(robot: Followed['robot']): Translator | undefined {
    if (robot.actionFrame !== 'base') return undefined
    if (this.config) return openTranslator(translatorSettings(this.config, robot))
    return ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: robot.actionScale.translation })
  }
}

/** @throws InputError in one line, where a record is damaged */
async function expectWhole(path: string): Promise<void> {
  const logs = logsAt(path)
  const checks = await checkLogs(logs)
  for (const [k, { files }] of checks.entries())
    for (const { file, damage } of files)
      if (damage[0])
        throw new InputError(
          file,
          describeDamage(damage[0]),
          `Keep all episodes that are whole: ${repairCommand(logs[k]!, path)}`,
        )
}

/** Where the set of a run goes, if nobody says. */
export const usualDataset = (path: string) => join(path, 'lerobot')
