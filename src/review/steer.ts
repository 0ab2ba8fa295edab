/** @file Does the robot do what it is told? From states that the policy visits, each command against "[null]", with the same noise. */
import type { Policy } from '../learn/policy.ts'
import type { Perception } from '../loop/perception.ts'
import { RandomStream } from '../random/stream.ts'
import type { Simulation } from '../robot/rig.ts'
import { ACTION_WIDTH, type Action, type RobotSpec } from '../robot/robot.ts'
import type { Vec3 } from '../robot/rotation.ts'
import type { SafeRobot } from '../robot/safety.ts'
import { directionAsked, type Translator } from '../talk/translator.ts'
import type { Direction } from '../talk/vocabulary.ts'

const STEPS = 5 // the window that one command sums over in the labels
const ACTION_RANGE = 2

export type CommandScore = {
  trials: number
  further: number // share in which the TCP moved further along the commanded direction than under "[null]"
  everyAxis: number // share in which it did so along each commanded axis
  millimetres: number // mean displacement along the commanded direction, relative to "[null]"
  asAsked: number // share in which that was what was asked for, give or take 30 %
}

export type SteerResult = {
  commands: Record<string, CommandScore>
  directions: number // mean of `further` over the six directions
  pairs: number
  nullChange: number // mean |refined "[null]" - primary| over the same noise, as a share of the action range
  states: number
}

export type SteerRollout = {
  robot: SafeRobot
  simulation: Pick<Simulation, 'snapshot' | 'restore' | 'tool'>
  perception: Perception
  policy: Pick<Policy, 'primary' | 'refined'>
  translator: Translator
}

type Options = {
  tasks: readonly string[]
  statesPerTask: number
  seed: number
  noise: 'none' | 'normal'
  shift: number // action units that a command asks for along each of its axes
  onState?: () => void
}

/** How far a command asks the tool to go along each of its axes within the window, metres. */
export const distanceAsked = (shift: number, { actionScale }: Pick<RobotSpec, 'actionScale'>) =>
  STEPS * shift * actionScale.translation

const axesAsked = (translator: Translator, command: string) =>
  directionAsked(translator, command).filter(Boolean).length

export async function steer(crew: SteerRollout, options: Options): Promise<SteerResult> {
  const random = new RandomStream(options.seed, 'steer')
  const { translator } = crew
  const { all, nothing } = translator.commands
  const steered = all.filter((command) => [1, 2].includes(axesAsked(translator, command))) // by the rule six, and twelve pairs
  const tally = new Map(
    steered.map((command) => [command, { further: 0, everyAxis: 0, metres: 0, asAsked: 0, trials: 0 }]),
  )
  const distance = distanceAsked(options.shift, crew.robot.spec)
  const change = { sum: 0, count: 0 }
  let states = 0
  for (const task of options.tasks)
    for (let k = 0; k < options.statesPerTask; k++) {
      await visit(crew, task, options.seed + 3_000_000 + k, random)
      states++
      const noise = Array.from({ length: STEPS }, () => draw(options.noise, random))
      const snapshot = crew.simulation.snapshot()
      change.sum += await nullChange(crew, task, noise[0]!)
      change.count++
      const still = await displacement(crew, task, nothing, noise)
      for (const command of steered) {
        crew.simulation.restore(snapshot)
        const asked = directionAsked(translator, command)
        record(tally.get(command)!, asked, await displacement(crew, task, command, noise), still, distance)
      }
      options.onState?.()
    }
  const commands = Object.fromEntries(
    [...tally].map(([command, { further, everyAxis, metres, asAsked, trials }]) => [
      command,
      {
        trials,
        further: further / trials,
        everyAxis: everyAxis / trials,
        millimetres: (1000 * metres) / trials,
        asAsked: asAsked / trials,
      },
    ]),
  )
  const meanShare = (axes: number) => {
    const scores = Object.entries(commands).filter(([command]) => axesAsked(translator, command) === axes)
    return scores.reduce((sum, [, score]) => sum + score.further, 0) / scores.length
  }
  return { commands, directions: meanShare(1), pairs: meanShare(2), nullChange: change.sum / change.count, states }
}

/** Brings the robot to a state that the policy visits: a random number of its own steps into an episode. */
export async function visit(
  { robot, perception, policy }: SteerRollout,
  task: string,
  seed: number,
  random: RandomStream,
): Promise<void> {
  const { maxSteps } = robot.spec.tasks[task]!
  const wanted = 1 + random.integer(Math.floor(maxSteps / 3))
  let observation = await robot.reset(task, seed)
  for (let step = 0; step < wanted; step++) {
    const outcome = await robot.step(
      await policy.primary(await perception.see(observation, task), draw('none', random)),
    )
    observation = outcome.observation
    if (outcome.terminated) observation = await robot.reset(task, seed)
  }
}

/** TCP displacement over the window, metres, base frame. */
async function displacement(
  crew: SteerRollout,
  task: string,
  command: string,
  noise: readonly Float32Array[],
): Promise<Vec3> {
  const from = crew.simulation.tool()
  let observation = await crew.robot.observe()
  for (const xi of noise) {
    const action: Action = await crew.policy.refined(await crew.perception.see(observation, task), command, xi)
    observation = (await crew.robot.step(action)).observation
  }
  const to = crew.simulation.tool()
  return [to[0] - from[0], to[1] - from[1], to[2] - from[2]]
}

async function nullChange(
  { robot, perception, policy, translator }: SteerRollout,
  task: string,
  xi: Float32Array,
): Promise<number> {
  const seen = await perception.see(await robot.observe(), task)
  const primary = await policy.primary(seen, xi)
  const refined = await policy.refined(seen, translator.commands.nothing, xi)
  return primary.reduce((sum, a, i) => sum + Math.abs(a - refined[i]!), 0) / primary.length / ACTION_RANGE
}

function record(
  tally: { further: number; everyAxis: number; metres: number; asAsked: number; trials: number },
  direction: Direction,
  moved: Vec3,
  still: Vec3,
  distance: number,
): void {
  const norm = Math.hypot(...direction)
  const gain = direction.map((sign, axis) => sign * (moved[axis]! - still[axis]!))
  const along = gain.reduce((sum, g) => sum + g, 0) / norm
  tally.trials++
  tally.metres += along
  if (along > 0) tally.further++
  if (Math.abs(along - distance * norm) <= 0.3 * distance * norm) tally.asAsked++ // each axis is asked to go so far
  if (gain.every((g, axis) => direction[axis] === 0 || g > 0)) tally.everyAxis++
}

export function draw(kind: 'none' | 'normal', random: RandomStream): Float32Array {
  const xi = new Float32Array(ACTION_WIDTH)
  return kind === 'none' ? xi : random.fillNormal(xi)
}
