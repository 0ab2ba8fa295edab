/**
 * @file A console on a real robot loop without a learner's thread: the simulated gantry behind its safety envelope, real
 * episodes, log and replay; a policy that is easy to predict.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunLibrary } from '../../src/console/server/library.ts'
import { RunObserver } from '../../src/console/server/observer.ts'
import { type ConsoleOptions, ConsoleServer } from '../../src/console/server/server.ts'
import { Normaliser } from '../../src/learn/normaliser.ts'
import type { Policy } from '../../src/learn/policy.ts'
import { runEpisode } from '../../src/loop/episode.ts'
import type { EpisodeSummary } from '../../src/loop/happening.ts'
import { OnlineRecorder } from '../../src/loop/online-recorder.ts'
import { Pace } from '../../src/loop/pace.ts'
import { NO_COPIES, Perception } from '../../src/loop/perception.ts'
import { UpdateSchedule } from '../../src/loop/update-schedule.ts'
import { ReplayBuffer } from '../../src/replay/buffer.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import type { Leader } from '../../src/robot/leader.ts'
import type { Operator } from '../../src/robot/operator.ts'
import type { Action } from '../../src/robot/robot.ts'
import { SafeRobot, type SafeRobotOptions } from '../../src/robot/safety.ts'
import { guardedWorkcell } from '../../src/robots/workcell/guarded.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { translatorSettings } from '../../src/run/label-rule.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import type { Session } from '../../src/run/session.ts'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import { openTranslator } from '../../src/talk/translator.ts'
import { commandDirection } from '../../src/talk/vocabulary.ts'
import type { VlaEncoder } from '../../src/vla/encoder.ts'

export type Executed = { at: number; action: number[] }

const identity = (width: number) => new Normaliser({ mean: Array(width).fill(0), deviation: Array(width).fill(1) })

export type StageSettings = {
  operator?: Operator
  console?: Partial<ConsoleOptions>
  run?: boolean
  pace?: number
  reset?: 'person'
  leader?: Leader
  safety?: SafeRobotOptions // of the envelope; by default that of a simulation
}

export class Stage {
  readonly executed: Executed[] = [] // what reached the workcell, with the time at which it began
  readonly episodes: EpisodeSummary[] = []
  plan = (_step: number): number[] => [0.3, 0, 0, 0, 0, 0, 0]
  /** Actions per second that a command adds along the direction that it asks for. */
  obedience = 0.5
  replay!: ReplayBuffer
  folder!: RunFolder
  observer!: RunObserver
  server!: ConsoleServer
  error?: unknown
  private ending = false
  private running: Promise<void> = Promise.resolve()
  private readonly directory = mkdtempSync(join(tmpdir(), 'duet-console-'))
  private release = () => {}

  static async open(settings: StageSettings = {}): Promise<Stage> {
    const stage = new Stage()
    await stage.build(settings)
    return stage
  }

  get journal(): Record<string, unknown>[] {
    const text = readFileSync(join(this.folder.path, 'console.jsonl'), 'utf8')
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  async close(): Promise<void> {
    this.ending = true
    this.observer.live!.hold.pause('the test is over')
    this.observer.dismiss()
    await this.running.catch(() => {})
    this.observer.close()
    await this.server.close()
    this.release()
    rmSync(this.directory, { recursive: true })
  }

  private async build(settings: StageSettings): Promise<void> {
    const config = parseConfig('test', mergeSettings(presets.tiny, { robot: { arm: 'gantry' }, tasks: ['pick'] }))
    this.folder = RunFolder.create(join(this.directory, 'run'), config)
    const page = join(this.directory, 'page')
    mkdirSync(page)
    writeFileSync(join(page, 'index.html'), '<title>console</title>')
    writeFileSync(join(this.directory, 'secret.txt'), 'not for pages')
    const { robot: guarded, workcell } = await guardedWorkcell({ arm: 'gantry' })
    const robot = settings.safety ? new SafeRobot(workcell, settings.safety) : guarded
    const { executed } = this
    const step = workcell.step.bind(workcell)
    workcell.step = (action: Action) => {
      executed.push({ at: performance.now(), action: [...action] })
      return step(action)
    }
    this.release = () => workcell.free()
    this.observer = new RunObserver()
    this.server = await ConsoleServer.open({
      observer: this.observer,
      library: new RunLibrary(this.directory, { path: this.folder.path, running: true }),
      page,
      port: 0,
      ...settings.console,
    })
    const session = {
      robot,
      rigs: [
        {
          cell: 'A',
          robot,
          reset: settings.reset ?? 'itself',
          real: false,
          leader: settings.leader,
          close: async () => {},
        },
      ],
    } as unknown as Session
    this.observer.opened({ folder: this.folder, config, session })
    this.observer.started({ past: [], followsCommands: true })
    const width = robot.spec.channels.length
    this.replay = new ReplayBuffer({
      tasks: ['pick'],
      embeddingWidth: 1,
      proprioWidth: width,
      featureShape: [1, 1, 1, 1],
      copies: 0,
      discount: 0.98,
      returnSteps: 1,
      clones: 'interventions',
      translator: openTranslator(translatorSettings(config, robot.spec)),
      commands: builtInCommandEncoder(),
      demonstrationCapacity: 1000,
      onlineCapacity: 20_000,
    })
    const log = EpisodeLog.open(this.folder.log, robot.spec)
    const link = { control: { learn: async () => ({ version: 0, made: 0, cut: 0 }) }, weights: { newest: undefined } }
    const tempo = new UpdateSchedule(link, 0, undefined, () => {})
    const recorder = new OnlineRecorder(log, this.replay, NO_COPIES, tempo, { index: 0, of: 1 }, 0)
    const encoder = {
      encode: async (inputs: unknown[]) => inputs.map(() => ({ h: Float32Array.of(0), features: Float32Array.of(0) })),
    } as unknown as VlaEncoder
    let steps = 0
    const policy = {
      followsCommands: true,
      primary: async () => Float32Array.from(this.plan(steps++)),
      refined: async (_: unknown, command: string) => {
        const plan = this.plan(steps)
        return Float32Array.from(plan, (value, i) => value + (commandDirection(command)[i] ?? 0) * this.obedience)
      },
    } as unknown as Policy
    const operator = this.observer.operator('A', settings.operator)
    const { pace = 1 } = settings
    const crew = {
      robot,
      perception: new Perception(encoder, { pick: 'pick' }, { h: identity(1), proprio: identity(width) }),
      policy,
      noise: () => new Float32Array(7),
      operator,
      recorder,
      pace: new Pace(robot.spec.rate, () => this.observer.speed(pace)),
    }
    const perform = async () => {
      for (let seed = 1; !this.ending; seed++) {
        const scene = { cell: 'A', stage: 'practice', task: 'pick', episode: recorder.nextEpisode } as const
        this.episodes.push(await runEpisode({ ...crew, attendant: this.observer.attend(scene) }, 'pick', seed))
      }
    }
    if (settings.run !== false)
      this.running = perform()
        .catch((error) => {
          this.error = error
        })
        .finally(() => log.close())
  }
}

export const moving = ({ action }: Executed) => action.slice(0, 6).some((value) => value !== 0)
