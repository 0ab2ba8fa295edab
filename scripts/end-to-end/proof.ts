/** @file One proof in real time: a served robot, a training that drives it, and the person at its console, a process each. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { PresetName } from '../../src/run/presets.ts'
import { type Process, startDuet, startScript } from './processes.ts'
import { type RobotName, type ServedRobot, serve } from './robots.ts'
import { TruthChannel } from './truth.ts'

export type ProofOptions = {
  robot: RobotName
  tasks: readonly string[]
  minutes: number // of practice
  trials: number
  demonstrations: number // of each task
  preset: PresetName
  folder: string
  set: readonly string[] // further settings, as `duet train --set` takes them
}

export class Proof {
  private readonly truth: TruthChannel

  private constructor(
    readonly options: ProofOptions,
    readonly robot: ServedRobot,
  ) {
    this.truth = new TruthChannel(robot.truth)
  }

  /** Serves the robot and writes the run's config; nothing is driven yet. */
  static async open(options: ProofOptions): Promise<Proof> {
    mkdirSync(options.folder, { recursive: true })
    const robot = await serve(options.robot, options)
    const { tasks, minutes, trials, demonstrations } = options
    const settings = {
      robot: robot.config,
      tasks,
      operator: { kind: 'none' },
      demonstrations: { perTask: demonstrations },
      online: { robotMinutes: minutes, lockstep: false },
      evaluation: { trials },
    }
    writeFileSync(join(options.folder, 'config.yaml'), stringify(settings))
    return new Proof(options, robot)
  }

  get run(): string {
    return join(this.options.folder, 'run')
  }

  get channel(): TruthChannel {
    return this.truth
  }

  /** `before`: arguments of Node itself. */
  train(before: string[] = [], env: Record<string, string> = {}): Process {
    const { folder, preset, set } = this.options
    const goesOn = existsSync(join(this.run, 'config.yaml'))
    const what = goesOn
      ? ['--resume', this.run]
      : ['--preset', preset, '--config', join(folder, 'config.yaml'), '--runs', folder, '--name', 'run']
    const more = goesOn ? [] : set.flatMap((one) => ['--set', one])
    const args = ['train', ...what, ...more, '--console', '--port', '0']
    return startDuet('the training', args, { env: { DUET_STATE: join(folder, 'state'), ...env }, before })
  }

  /** At the console of a training. */
  async person(training: Process): Promise<Process> {
    const { robot, tasks, demonstrations } = this.options
    const address = await training.says(/Console: (\S+)/)
    const args = [address, this.robot.truth, robot, tasks.join(','), String(demonstrations)]
    return startScript('the person', 'person.ts', args)
  }

  close(): void {
    this.truth.rest()
    this.robot.process.kill('SIGTERM')
  }
}
