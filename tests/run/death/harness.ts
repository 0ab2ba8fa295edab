/** @file Runs the `duet` command in a process of its own, lets something happen to it, and tells what came of it. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readEpisodes } from '../../../src/replay/log-reader.ts'
import type { Simulation } from '../../../src/robot/rig.ts'
import { demonstrator } from '../../../src/robots/workcell/demonstrator.ts'
import { guardedWorkcell } from '../../../src/robots/workcell/guarded.ts'
import { recordDemonstrations } from '../../../src/run/demonstrations.ts'
import { Page } from '../../console/page.ts'

const duet = fileURLToPath(new URL('./duet.mjs', import.meta.url))

export const HOW = ['error', 'input', 'exit', 'memory'] as const
/** `native`: it does not die, but is for 8 s in a call that nothing ends. */
export type How = (typeof HOW)[number] | 'native'

/** `idle`: between two blocks or updates; `cue`: as soon as there is a file of that name beside the notes. */
export type When = 'opening' | 'warm-up' | 'idle' | 'block' | 'save' | 'cue'

export type Mode = 'lock-step' | 'free'

/** A short run on one task of a learner that is quick, and soon compiled, with demonstrations that all runs share. */
const SETTINGS = [
  'method=hg-dagger',
  'robot.arm=gantry',
  'tasks=[pick]',
  'networks.sees=h',
  'learner.batch=8',
  'learner.refinement.batch=4',
  'demonstrations.perTask=1',
  'warmUp.updates=4',
  'online.startAfter=10',
  'online.publishEvery=5',
  'evaluation.trials=1',
]

export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'duet-death-'))
  readonly demonstrations = join(this.folder, 'demonstrations')
  private runs = 0

  async record(): Promise<void> {
    const { robot, workcell } = await guardedWorkcell({ arm: 'gantry' })
    const expert: Simulation['demonstrator'] = (seed, hand) => demonstrator(() => workcell.truth(), seed, hand)
    const settings = { tasks: ['pick'], perTask: 1, noise: 0.05, seed: 0 }
    await recordDemonstrations(this.demonstrations, { ...settings, robot, demonstrator: expert })
    workcell.free()
  }

  start(options: Partial<StartOptions> = {}): Running {
    return new Running(join(this.folder, `run-${++this.runs}`), this, options)
  }
}

export type StartOptions = {
  mode: Mode
  how: How
  when: When
  settings: string[]
  shared: boolean // whether demonstrations are there already; true
  console: boolean
  shell: (command: string) => string // the command line, put into another one
  arguments: string[] // in place of those of a new run
}

export class Running {
  out = ''
  errors = ''
  readonly child: ReturnType<typeof spawn>
  readonly ended: Promise<number>
  private readonly notesFile: string
  private endedAt = 0

  constructor(
    readonly run: string,
    place: Place,
    {
      mode = 'lock-step',
      how,
      when,
      settings = [],
      shared = true,
      console: page,
      shell,
      ...rest
    }: Partial<StartOptions>,
  ) {
    this.notesFile = `${run}.notes`
    writeFileSync(this.notesFile, '')
    const all = [...SETTINGS, ...(shared ? [`demonstrations.path=${place.demonstrations}`] : []), ...settings]
    const args = rest.arguments ?? [
      ...['train', '--preset', 'tiny', '--runs', place.folder, '--name', run.split('/').at(-1)!],
      ...(mode === 'free' ? ['--no-lockstep'] : []),
      ...(page ? ['--console', '--port', '0'] : ['--no-console']),
      ...all.flatMap((setting) => ['--set', setting]),
    ]
    const command = [process.execPath, duet, ...args]
    const env = { ...process.env, DEATH_NOTES: this.notesFile, DEATH_HOW: how ?? '', DEATH_WHEN: when ?? '' }
    const [program, ...given] = shell ? ['bash', '-c', shell(command.map((word) => `'${word}'`).join(' '))] : command
    this.child = spawn(program!, given, { stdio: ['ignore', 'pipe', 'pipe'], env })
    this.child.stdout!.on('data', (chunk) => (this.out += chunk))
    this.child.stderr!.on('data', (chunk) => (this.errors += chunk))
    this.ended = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        this.endedAt = this.now()
        resolve(code ?? 128 + constants.signals[signal!]) // as a shell has it
      }),
    )
  }

  now = () => performance.timeOrigin + performance.now()

  /** Waits until it has said something. */
  async says(words: string | RegExp): Promise<void> {
    while (
      !(typeof words === 'string' ? (this.out + this.errors).includes(words) : words.test(this.out + this.errors))
    ) {
      if (this.endedAt) throw new Error(`ended before it said ${words}: ${this.out}${this.errors}`)
      await sleep(5)
    }
  }

  async page(): Promise<Page> {
    await this.says(/Console: http\S+/)
    return Page.open(/Console: (http\S+)/.exec(this.out)![1]!)
  }

  cue(): void {
    writeFileSync(`${this.notesFile}.cue`, '')
  }

  signal(signal: NodeJS.Signals): number {
    const at = this.now() // before: it may be heard before this process goes on
    this.child.kill(signal)
    return at
  }

  get notes(): { what: string; at: number }[] {
    const lines = readFileSync(this.notesFile, 'utf8').trim().split('\n')
    return lines.map((line) => ({ what: line.split(' ')[0]!, at: Number(line.split(' ')[1]) }))
  }

  /** The last line that it said for people, without its progress. */
  get lastWords(): string[] {
    return this.errors.split('\n').filter((line) => line && !/^[\w ,%\d[\]-]+: [\d.]+ of [\d.]+/.test(line))
  }

  /** What came of it. `since`: the cause; by default the death of the learner. */
  async outcome(since?: number): Promise<Outcome> {
    const code = await this.ended
    const { notes } = this
    const cause = since ?? notes.find(({ what }) => what === 'death')?.at
    if (cause === undefined) throw new Error(`nothing happened: ${this.errors}`)
    const stop = notes.find(({ what, at }) => what === 'stop' && at >= cause - 1)
    const moved = stop ? notes.filter(({ what, at }) => what !== 'stop' && at > stop.at).length : 0
    const log = join(this.run, 'log')
    return {
      code,
      lines: this.lastWords,
      stopAfter: stop ? stop.at - cause : null,
      endAfter: this.endedAt - cause,
      movedAfterStop: moved,
      loggedSteps: existsSync(log) ? [...readEpisodes(log)].reduce((sum, { steps }) => sum + steps.length, 0) : 0,
    }
  }
}

export type Outcome = {
  code: number
  lines: string[]
  stopAfter: number | null // ms from the cause to the robot's stop
  endAfter: number // ms from the cause to the end of the process
  movedAfterStop: number // commands that the robot got after its stop
  loggedSteps: number // that can be read
}
