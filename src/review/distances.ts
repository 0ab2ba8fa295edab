/**
 * @file How far does the tool come where a command says how far? From states that the policy visits, along each of the six
 * directions, until the tool has come so far or its time is over.
 */
import { mean } from '../metrics/statistics.ts'
import { RandomStream } from '../random/stream.ts'
import { toolPosition } from '../robot/tool-pose.ts'
import { secondsFor } from '../talk/distance.ts'
import { carried, Reach } from '../talk/reach.ts'
import { directionAsked } from '../talk/translator.ts'
import type { Direction } from '../talk/vocabulary.ts'
import { draw, type SteerRollout, visit } from './steer.ts'

export type DistanceScore = {
  asked: number // mm
  came: number // mm along the command, mean
  asAsked: number // share that came as far as asked, give or take 30 %
  inTime: number // share that was over before its time
  seconds: number // until it was over, mean
}

type Options = {
  tasks: readonly string[]
  statesPerTask: number
  seed: number
  noise: 'none' | 'normal'
  millimetres: readonly number[] // asked for, from each state and along each direction
  /**
   * `carries`: the product. `asks`: the command alone, as where no distance is said. `silent`: nothing is said. In all of them the
   * tool is watched, and the command over once it has come so far.
   */
  as: 'carries' | 'asks' | 'silent'
}

type Trial = { asked: number; came: number; inTime: boolean; seconds: number }

export async function distances(crew: SteerRollout, options: Options): Promise<DistanceScore[]> {
  const random = new RandomStream(options.seed, 'distances')
  const { all } = crew.translator.commands
  const single = all.filter((command) => directionAsked(crew.translator, command).filter(Boolean).length === 1)
  const trials: Trial[] = []
  for (const task of options.tasks)
    for (let k = 0; k < options.statesPerTask; k++) {
      await visit(crew, task, options.seed + 3_000_000 + k, random)
      const scene = crew.simulation.snapshot()
      for (const asked of options.millimetres) {
        const steps = Math.round(secondsFor(asked / 1000) * crew.robot.spec.rate)
        const noise = Array.from({ length: steps }, () => draw(options.noise, random)) // the same for every direction
        for (const command of single) {
          crew.simulation.restore(scene)
          trials.push({ asked, ...(await go(crew, task, command, asked / 1000, noise, options.as)) })
        }
      }
    }
  return options.millimetres.map((asked) => scoreOf(trials.filter((trial) => trial.asked === asked)))
}

async function go(
  { robot, simulation, perception, policy, translator }: SteerRollout,
  task: string,
  command: string,
  metres: number,
  noise: readonly Float32Array[],
  as: Options['as'],
): Promise<Omit<Trial, 'asked'>> {
  const direction = directionAsked(translator, command)
  const reach = new Reach(direction, metres)
  const told = toolPosition(robot.spec)! // as the robot tells it; where it truly is counts
  const from = simulation.tool()
  let observation = await robot.observe()
  /** Undefined where it is over: nobody carries back what went past. */
  const left = () => {
    const toGo = reach.toGo(told(observation.proprio))
    const isPast = toGo?.every((rest, axis) => rest === null || rest * direction[axis]! < 0)
    return as === 'carries' || !isPast ? toGo : undefined
  }
  let toGo = left()
  let steps = 0
  for (; toGo && steps < noise.length; steps++) {
    const seen = await perception.see(observation, task)
    const xi = noise[steps]!
    const action = as === 'silent' ? await policy.primary(seen, xi) : await policy.refined(seen, command, xi)
    const motion = as === 'carries' ? carried(action, toGo, robot.spec.actionScale.translation) : action
    observation = (await robot.step(motion)).observation
    toGo = left()
  }
  return {
    came: 1000 * along(direction, from, simulation.tool()),
    inTime: toGo === undefined,
    seconds: steps / robot.spec.rate,
  }
}

const along = (direction: Direction, from: readonly number[], to: readonly number[]) =>
  direction.reduce((sum, sign, axis) => sum + sign * (to[axis]! - from[axis]!), 0)

function scoreOf(trials: readonly Trial[]): DistanceScore {
  const { asked } = trials[0]!
  const share = (holds: (trial: Trial) => boolean) => mean(trials.map((trial) => Number(holds(trial))))
  return {
    asked,
    came: mean(trials.map(({ came }) => came)),
    asAsked: share(({ came }) => Math.abs(came - asked) <= 0.3 * asked),
    inTime: share(({ inTime }) => inTime),
    seconds: mean(trials.map(({ seconds }) => seconds)),
  }
}
