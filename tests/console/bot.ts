/**
 * @file A person made of software, who knows a console from outside alone: lays scenes, shows demonstrations, takes over,
 * talks, judges and stops over the page's own WebSocket. What is true of the scene is told by functions that are passed in.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientMessage } from '../../src/console/protocol.ts'
import type { Action } from '../../src/robot/robot.ts'
import type { Axes, Page } from './page.ts'

export type Truth = {
  done(): boolean // the task, as the scene stands
  hand(): () => Action // what somebody who knows how would do now; a new one for each try
  lay?(scene: { task: string; start: string | null }): Promise<void> // brings it about
}

const INPUT_EVERY = 33 // ms
const PATIENCE = 240_000 // ms: networks are compiled and evaluated between two things to do

export class Bot {
  /** From when a scene was asked for until the bot said that it was laid; ms. */
  readonly laid: { from: number; to: number; start: string | null }[] = []
  readonly verdicts: ('success' | 'failure')[] = []

  constructor(
    private readonly page: Page,
    private readonly truth: Truth,
  ) {}

  /** Lays every scene that is asked for, until the run is over. */
  async layScenes(): Promise<void> {
    for (let next = 0; !this.page.last('ended') && !this.page.closed; await sleep(10)) {
      const scenes = this.page.all('scene').filter(({ waits }) => waits)
      if (scenes.length <= next) continue
      next = scenes.length
      const from = performance.now()
      await (this.truth.lay?.(scenes.at(-1)!) ?? sleep(200))
      this.laid.push({ from, to: performance.now(), start: scenes.at(-1)!.start })
      this.operate({ kind: 'ready' })
    }
  }

  /** Shows a task, looks at what was recorded and keeps it. @returns whether it came off */
  async demonstrate(task: string): Promise<boolean> {
    const { page, truth } = this
    const phase = () => page.last('recording')?.phase
    this.operate({ kind: 'record', action: 'start', task })
    await this.until(() => phase() === 'recording', 'recording')
    const hand = truth.hand()
    await this.actWhile(hand, () => phase() === 'recording' && !truth.done())
    if (phase() === 'recording') this.operate({ kind: 'verdict', verdict: truth.done() ? 'success' : 'failure' })
    await this.until(() => phase() === 'review' || phase() === 'off', 'its review')
    const { success } = page.last('recording')!
    this.operate({ kind: 'record', action: success ? 'keep' : 'discard' })
    await this.until(() => phase() === 'off', 'the end of its review')
    return success
  }

  /** Takes over in what goes on, until it is done or over, and says so. */
  async takeOver(): Promise<void> {
    const { page, truth } = this
    const { episode } = page.last('state')!
    await this.actWhile(truth.hand(), () => !truth.done() && page.last('state')!.episode === episode)
    if (truth.done() && page.last('state')!.episode === episode) this.judge()
  }

  /** Says what is true of the scene, and does not take it back. */
  judge(): void {
    const verdict = this.truth.done() ? 'success' : 'failure'
    this.verdicts.push(verdict)
    this.operate({ kind: 'verdict', verdict })
    this.operate({ kind: 'confirm' })
  }

  say(text: string): void {
    this.operate({ kind: 'command', text, source: 'typed' })
  }

  /** Stops the robot, waits until it has been read back, and lets it go on. */
  async stopAndGoOn(): Promise<{ from: number; to: number }> {
    const { page } = this
    const from = performance.now()
    page.send({ kind: 'stop' })
    await this.until(() => page.last('robot')?.status === 'stopped', 'the stop')
    const to = performance.now()
    this.operate({ kind: 'clear' })
    await this.until(() => page.last('robot')?.status === 'paused', 'the pause after the stop')
    this.operate({ kind: 'resume' })
    return { from, to }
  }

  async until(test: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE
    while (!test()) {
      if (performance.now() > end)
        throw new Error(`the bot waits for ${what}; last: ${JSON.stringify(this.page.last('robot'))}`)
      await sleep(5)
    }
  }

  /** As the page does: whoever was silent for too long, on a busy machine, asks for control again. */
  private operate(message: ClientMessage): void {
    this.page.send({ kind: 'control', action: 'request' })
    this.page.send(message)
  }

  /** The hand is on the robot, and moves it so. */
  move(action: Action): void {
    const gripper = action[6]! > 0.5 ? 1 : action[6]! < -0.5 ? -1 : 0
    const axes = [...action.subarray(0, 6)].map((value) => Math.min(1, Math.max(-1, value)))
    this.page.input(axes as unknown as Axes, true, gripper)
  }

  letGo(): void {
    this.page.input([0, 0, 0, 0, 0, 0], false)
  }

  private async actWhile(hand: () => Action, test: () => boolean): Promise<void> {
    while (test()) {
      this.move(hand())
      await sleep(INPUT_EVERY)
    }
    this.letGo()
  }
}
