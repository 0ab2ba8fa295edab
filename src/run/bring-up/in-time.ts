/** @file The last rungs: the loop at the robot's rate with all motion left out, then its largest motions, and a stop in one. */
import { InputError } from '../../errors.ts'
import { LoopTiming } from '../../loop/timing.ts'
import { holdAction } from '../../robot/guard.ts'
import { gap, type Vec3 } from '../../robot/rotation.ts'
import { beyond } from '../../robot/work-box.ts'
import { DryCommands } from './dry-commands.ts'
import { millimetres, type Rung, type Site } from './rung.ts'

const SECONDS = 5
const DRIFT = 0.005 // m, at most, in that time
const FULL_STEPS = 4 // of the longest there are
const SETTLING = 1.5 // s after a stop
const STOPPED = 3 // of the longest steps, at most, from the stop to where the tool comes to rest

export const dryRun: Rung = {
  name: 'dry run',
  moves: false,
  look: 'Did it stand still while it was commanded at its rate, all motion left out? Would commands of a policy, if one is tried, lead where it should go?',
  async climb({ rig, hand, plan }) {
    const { robot } = rig
    const { rate, name } = robot.spec
    const from = await hand.look()
    const timing = new LoopTiming(rate)
    const commands = new DryCommands(robot)
    let seen = await robot.observe()
    timing.received(seen, performance.now())
    let at = from
    for (let left = Math.ceil(SECONDS * rate); left > 0; left--) {
      if (plan) commands.note(await plan(seen)) // what it takes is part of the way from picture to command
      await hand.period()
      timing.commanded(performance.now())
      seen = await hand.act(holdAction())
      timing.received(seen, performance.now())
      at = hand.at(seen)
    }
    await robot.rest()
    const drift = gap(at, from)
    if (drift > DRIFT)
      throw new InputError(
        name,
        `drifted by ${millimetres(drift)} mm in ${SECONDS} s while it was told to hold`,
        'Set the load of the tool on the robot, and make its controller stiffer',
      )
    const { jitterMedian, jitter99, latencyMedian, latency99, period } = timing.times!
    const late = rig.real && (latency99 > period || jitter99 > period / 4)
    return {
      'drift [mm]': millimetres(drift),
      'jitter [ms]': `${jitterMedian.toFixed(1)} median, ${jitter99.toFixed(1)} at 99 %`,
      'picture to command [ms]': `${latencyMedian.toFixed(1)} median, ${latency99.toFixed(1)} at 99 %`,
      ...(plan && commands.findings),
      ...(late && { late: 'commands are not punctual: close what loads this computer before you train' }),
    }
  },
}

export const motion: Rung = {
  name: 'motion',
  moves: true,
  look: 'Did it go to its start, make a few quick centimetres, stop in them, and go back?',
  async climb(site) {
    const { robot } = site.rig
    const { hand, task } = site
    const { name, actionScale } = robot.spec
    await robot.reset(task)
    const start = await hand.look()
    const { axis, sign } = roomiest(site, start)
    const action = holdAction()
    action[axis] = sign
    let at = start
    for (let k = 0; k < FULL_STEPS; k++) at = hand.at(await hand.step(action))
    const went = gap(at, start)
    const asked = FULL_STEPS * actionScale.translation
    await robot.stop()
    const rested = await comeToRest(site, at)
    if (went < asked / 4)
      throw new InputError(
        name,
        `was asked for ${millimetres(asked)} mm in ${FULL_STEPS} steps and went ${millimetres(went)} mm`,
        'See what holds it; lower actionScale.translation, or make its controller stiffer',
      )
    if (rested > STOPPED * actionScale.translation)
      throw new InputError(
        name,
        `went on for ${millimetres(rested)} mm after a stop, ${millimetres(STOPPED * actionScale.translation)} mm are allowed`,
        'Do not train with it: make its controller stiffer or slower, and try the stop again',
      )
    await hand.go(start)
    await robot.rest()
    return {
      start: start.map((value) => value.toFixed(3)).join(', '),
      'full steps': `${millimetres(went)} of ${millimetres(asked)} mm along ${sign > 0 ? '+' : '-'}${'xyz'[axis]}`,
      'after the stop [mm]': millimetres(rested),
    }
  },
}

/** Up, where there is room; else where there is most. */
function roomiest({ rig }: Site, from: Vec3): { axis: number; sign: number } {
  const { limits, spec } = rig.robot
  const way = (FULL_STEPS + STOPPED) * spec.actionScale.translation
  const free = (axis: number, sign: number) => {
    const to = from.map((value, i) => value + (i === axis ? sign * way : 0))
    return beyond(to, limits.workBox) === 0
  }
  for (const axis of [2, 0, 1]) for (const sign of [1, -1]) if (free(axis, sign)) return { axis, sign }
  throw new InputError(spec.name, `has no room for ${millimetres(way)} mm at its start`, 'Widen safety.workBox')
}

/** @returns m, how far the tool goes on at most */
async function comeToRest(site: Site, from: Vec3): Promise<number> {
  let most = 0
  for (let left = Math.ceil(SETTLING * site.rig.robot.spec.rate); left > 0; left--) {
    await site.hand.period()
    most = Math.max(most, gap(await site.hand.look(), from))
  }
  return most
}
