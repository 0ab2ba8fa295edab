/** @file A robot as a run has it: behind its safety envelope, with what only a simulation can do beside it. */
import type { z } from 'zod'
import { InputError } from '../errors.ts'
import type { JointChain } from './joint-chain.ts'
import type { Leader } from './leader.ts'
import type { Operator } from './operator.ts'
import type { Action, Observation, RobotSpec } from './robot.ts'
import type { Vec3 } from './rotation.ts'
import type { SafeRobot } from './safety.ts'

/** What is done to one of several things of a kind; `bolt` counts them from 0. */
export type Operation = { task: string; bolt: number }

/** How an episode begins, where it is not by a reset: the scene that an earlier one left behind. */
export interface Starts {
  /** Undefined: by a reset. */
  begin(episode: number, task: string): (() => Promise<Observation>) | undefined
  ended(summary: { task: string; ending: string }): void
}

/** An operator made of software. Its state is JSON-safe, and nobody else's business. */
export type SimulatedPerson = Operator & { save(): unknown; restore(state: unknown): void }

export type Strength = 'strong' | 'weak' | 'person'

/** Who demonstrates in a simulation: its expert, or a person by a device. */
export type Demonstrator = 'expert' | 'person'

/** What was said by an operator who speaks, so far; JSON-safe. */
export type SpeakerReport = {
  steps: number
  spokenSteps: number // steps for which a command held
  commands: number
  wordless: number // reasons to speak for which there was no word
  reasons: Record<string, number>
}

/** What a speaker says and means by it; a translator has it (talk/translator.ts). */
export type Words = {
  commands: { nothing: string }
  window: number // steps
  label(steps: readonly { action: Action; intervened: boolean }[]): ({ command: string } | null)[]
  intent(command: string): Float32Array // [7]
}

/** An operator who speaks instead of taking over. */
export type SpeakingPerson = Operator & { report(): SpeakerReport }

/** What was done in an episode, to do it again. */
export type Done = {
  task: string
  seed: number | null
  actions: readonly Action[]
  observations: readonly Observation[]
}

/** What a robot that is simulated offers beside itself. The scenes that it hands out fit itself only. */
export interface Simulation<Scene = unknown> {
  /** Everything that the future depends on, but for the clock. */
  snapshot(): Scene
  restore(scene: Scene): void
  /** Where the tool truly is, metres, base frame. */
  tool(): Vec3
  /** The operations of a chain, in order: each can begin where the one before has ended. @throws InputError if it has not that many */
  operations(count: number): Operation[]
  /** With a seed: a start state of the operation. Without: it begins in the scene as it stands. */
  begin(operation: Operation, seed?: number): void
  /** Where practice episodes begin, by the robot's own settings. */
  starts(seed: number): Starts
  /** `words`: speaks where these are enough, to a policy that follows commands. */
  operator(strength: Strength, seed: number, words?: Words): SimulatedPerson
  speaker(words: Words): SpeakingPerson
  /** Somebody with an unsteady hand, for one episode. `noise`: its spread, action units; `memory`: how slowly it wanders. */
  demonstrator(seed: number, hand: { noise: number; memory: number }, by?: Demonstrator): () => Action
  /**
   * What the simulated operator meant in each step of an episode, had the hand been still. `parted`: largest difference
   * between the proprioception of then and of now; above 0 this is not the scene of then.
   */
  intentions(done: Done, strength: Strength): { actions: Action[]; parted: number }
}

/** How a part of a robot is: `hottest`, °C, beyond which it is a fault. */
export type PartCondition = { part: string; temperature: number /* °C */; hottest: number; voltage: number /* V */ }

export type Rig = {
  cell: string // names it within its run, and its part of the run's folder
  robot: SafeRobot // the only way to its motors
  reset: 'itself' | 'person' // who brings the scene to a start state
  real: boolean // it moves something that can break
  simulation?: Simulation
  leader?: Leader // what a person moves it with, beside what the console's page has
  /** As it was read last, without asking the robot. */
  condition?(): PartCondition[]
  /** A run ended well, and the config asks for more than that the robot stays where it is. */
  leave?(): Promise<void>
  close(): Promise<void>
}

/**
 * What a robot that can break has to have: a limit on the age of its commands, one on the silence of those who supervise it,
 * and a place where its faults outlive the process. @throws InputError if a real one lacks it
 */
export function expectGuarded({ robot, real }: Pick<Rig, 'robot' | 'real'>): void {
  if (!real) return
  for (const name of ['commandAge', 'heartbeatAge'] as const)
    if (!Number.isFinite(robot.limits[name]))
      throw new InputError(
        robot.spec.name,
        `is real, and safety.${name} has no limit`,
        'Give it one in seconds: a robot has to stop when nobody commands or supervises it any more',
      )
  if (!robot.keepsFaults)
    throw new InputError(robot.spec.name, 'is real, and keeps no faults', 'Give its safety envelope a fault file')
}

/** `blind`: without cameras, where only the physics is wanted. */
export type RigOptions = { blind?: boolean }

/**
 * A kind of robot. Its config is a Zod object with a literal `kind` and `cells`, the names of the robots of a run. Importing
 * a kind costs nothing: what opens it is loaded when it is opened.
 */
export type RobotKind<Schema extends z.ZodObject = z.ZodObject> = {
  kind: string
  config: Schema
  /** Whether robots of such settings are simulated; left out: they can break. */
  simulated?(given: Readonly<Record<string, unknown>>): boolean
  /** Whether a simulated operator can tend them: theirs is a simulation that knows how the task is done. */
  tended?: true
  /** Without a motor moved or a connection made. @throws InputError if the config names no such robot */
  describe(config: z.infer<Schema>, cell: string): RobotSpec
  open(config: z.infer<Schema>, cell: string, options?: RigOptions): Promise<Rig>
  /**
   * Stops a real robot over a connection of its own, whoever drives it, and needs nothing of them. @returns what was done, in words
   * @throws InputError where that cannot be done
   */
  stop?(config: z.infer<Schema>, cell: string): Promise<string>
  /** Its joints, where data of others tell them and no tool. */
  chain?: JointChain
}
