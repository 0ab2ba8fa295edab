/**
 * @file A rig that behaves as a real one does: a workcell whose time passes by itself, behind an envelope with a watchdog.
 * Pictures come late, and nobody but a person brings its scene back or knows whether the task is done.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultFile } from '../src/robot/fault-file.ts'
import type { Rig } from '../src/robot/rig.ts'
import type { Action, Observation, Outcome, Robot, RobotSpec } from '../src/robot/robot.ts'
import { SafeRobot } from '../src/robot/safety.ts'
import type { WorkcellOptions } from '../src/robots/workcell/options.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'
import type { RunConfig } from '../src/run/config.ts'
import { openSession, type Session } from '../src/run/session.ts'

export type RealRigSettings = {
  rate?: number // Hz; faster than 10 is a clock that runs faster
  reset?: Rig['reset']
  judges?: boolean // the robot itself knows when a task is done
  thinking?: number // ms of a period that it leaves to whoever commands it
  delay?: number // ms that a picture is old when it arrives
  options?: Partial<WorkcellOptions>
}

/** Its own clock: s since it was opened. */
class RealCell implements Robot {
  readonly spec: RobotSpec
  /** What reached the motors and when, and when the newest picture before it was taken; ms. */
  readonly commands: { at: number; taken: number; action: number[] }[] = []
  done = false // as the scene stands
  private readonly opened = performance.now()
  private taken = 0

  constructor(
    readonly workcell: Workcell,
    private readonly settings: Required<Omit<RealRigSettings, 'options' | 'reset'>>,
  ) {
    const { spec } = workcell
    const starts = ['at the left mark', 'at the middle mark', 'at the right mark']
    const tasks = Object.entries(spec.tasks).map(([name, task]) => [
      name,
      { ...task, maxSteps: 60, scene: 'the bolt on its stand', starts },
    ])
    this.spec = { ...spec, name: `real-${spec.name}`, rate: settings.rate, tasks: Object.fromEntries(tasks) }
  }

  async reset(task: string, seed?: number): Promise<Observation> {
    this.done = false
    return this.told(this.workcell.resetSync(task, seed))
  }

  async observe(): Promise<Observation> {
    return this.told(await this.workcell.observe())
  }

  async step(action: Action): Promise<Outcome> {
    const { rate, thinking, judges } = this.settings
    const at = performance.now()
    this.commands.push({ at, taken: this.taken, action: [...action] })
    const { observation, reward, terminated } = await this.workcell.step(action)
    this.done = reward > 0
    await sleep(Math.max(0, at + 1000 / rate - thinking - performance.now()))
    return { observation: this.told(observation), reward: judges ? reward : 0, terminated: judges && terminated }
  }

  async stop(): Promise<void> {
    await this.workcell.stop()
  }

  private told(observation: Observation): Observation {
    const now = performance.now()
    const time = (now - this.opened) / 1000
    this.taken = now - this.settings.delay
    const taken = time - this.settings.delay / 1000
    return {
      ...observation,
      time,
      taken: Object.fromEntries(Object.keys(observation.images).map((name) => [name, taken])),
    }
  }
}

export type RealRig = Rig & { real: true; cellOf: RealCell }

export async function openReal(settings: RealRigSettings = {}): Promise<RealRig> {
  const { rate = 10, reset = 'itself', judges = true, thinking = 300 / rate, delay = 50 / rate, options } = settings
  const workcell = await Workcell.create({ arm: 'gantry', ...options })
  const inner = new RealCell(workcell, { rate, judges, thinking, delay })
  const faults = new FaultFile(inner.spec.name, mkdtempSync(join(tmpdir(), 'duet-real-rig-')))
  const limits = { commandAge: 10, heartbeatAge: 20, force: Number.POSITIVE_INFINITY }
  const robot = new SafeRobot(inner, { limits, faults })
  return { cell: 'A', robot, reset, real: true, cellOf: inner, close: async () => workcell.free() }
}

/** A session of the run's settings in which a real rig stands in place of its simulated one. */
export async function openRealSession(config: RunConfig, rig: RealRig): Promise<Session> {
  const session = await openSession(config)
  return {
    ...session,
    rigs: [rig],
    robot: rig.robot,
    async close() {
      await rig.robot.stop()
      await session.close()
      await rig.close()
    },
  }
}
