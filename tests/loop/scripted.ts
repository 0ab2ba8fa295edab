/** @file A robot without physics, who sees and plans for it, and who stands beside it: what tests of the loop share. */
import { Normaliser } from '../../src/learn/normaliser.ts'
import type { Policy } from '../../src/learn/policy.ts'
import type { Attendant } from '../../src/loop/attendant.ts'
import { Perception } from '../../src/loop/perception.ts'
import type { Action, Outcome, Robot, RobotSpec } from '../../src/robot/robot.ts'
import type { VlaEncoder } from '../../src/vla/encoder.ts'

export const MAX_STEPS = 5

export const filled = (value: number): Action => new Float32Array(7).fill(value)

/** One entry of proprioception, no camera, one task. */
export const scriptedSpec = (other: Partial<RobotSpec> = {}) => ({
  name: 'scripted',
  cameras: {},
  rate: 10,
  channels: [{ name: 'step', unit: '1' }],
  actionFrame: 'base' as const,
  actionScale: { translation: 0.01, rotation: 0.1 },
  tasks: { push: { instruction: 'push', maxSteps: MAX_STEPS } },
  ...other,
})

/** Its proprioception counts the steps; `endsAt` gives the outcome of that step. */
export class ScriptedRobot implements Robot {
  readonly spec = scriptedSpec()
  readonly executed: Action[] = []
  readonly seeds: number[] = [] // of its resets
  stops = 0
  private time = 0

  constructor(private readonly endsAt: Record<number, { reward: number }> = {}) {}

  async reset(_task: string, seed: number) {
    this.seeds.push(seed)
    this.executed.length = 0
    return this.observe()
  }
  async observe() {
    return { images: {}, proprio: Float32Array.of(this.executed.length), time: this.time++ }
  }
  async step(action: Action): Promise<Outcome> {
    this.executed.push(action)
    const end = this.endsAt[this.executed.length]
    return { observation: await this.observe(), reward: end?.reward ?? 0, terminated: end !== undefined }
  }
  async stop() {
    this.stops++
  }
}

/** h is the proprioception, so that what was seen can be traced to its observation. */
const transparent = {
  description: {},
  encode: async (inputs: { proprio: Float32Array }[]) =>
    inputs.map(({ proprio }) => ({ h: proprio.slice(), features: Float32Array.of(0) })),
  close: async () => {},
} as unknown as VlaEncoder

/** Of tasks whose instructions are their names. */
export function perceptionOf(tasks: readonly string[] = ['push'], encoder: VlaEncoder = transparent): Perception {
  const identity = new Normaliser({ mean: [0], deviation: [1] })
  return new Perception(encoder, Object.fromEntries(tasks.map((task) => [task, task])), {
    h: identity,
    proprio: identity,
  })
}

/** Goes the same way whatever it sees, unless it is told to move left. */
export const planning = (planned: Action) =>
  ({
    followsCommands: true,
    primary: async () => planned,
    refined: async (_: unknown, command: string) => filled(command === 'move left' ? 0.7 : 0),
  }) as unknown as Policy

export const noNoise = () => new Float32Array(7)

/** Stands by and does nothing, but for what is given. */
export const attendant = (given: Partial<Attendant> = {}): Attendant => ({
  ready: () => undefined,
  scene: () => undefined,
  begin: () => {},
  between: () => undefined,
  step: () => {},
  end: () => {},
  ...given,
})
