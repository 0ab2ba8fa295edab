/** @file The rungs of the first motion: the gripper, then one centimetre along each axis and back. */
import { InputError } from '../../errors.ts'
import { gap, type Vec3 } from '../../robot/rotation.ts'
import { beyond } from '../../robot/work-box.ts'
import { type Findings, millimetres, type Rung, type Site } from './rung.ts'

const GRIPPER_SECONDS = 2
const GRIPPED = 0.1 // of its whole way, at least, between open and closed
const STEADY = 0.005 // m that the tool may move while only the gripper is told to
const WAY = 0.01 // m
const FOLLOWED = 0.005 // m of it, at least
const ASIDE = 0.005 // m, at most, across it and after the way back
const AXES = ['x', 'y', 'z'] as const

export const gripper: Rung = {
  name: 'gripper',
  moves: true,
  look: 'Did the gripper close and open, and did nothing else move?',
  async climb({ rig: { robot }, hand }): Promise<Findings> {
    const { channels, name } = robot.spec
    if (!channels.some(({ role }) => role === 'grip')) return { gripper: 'none' }
    const opening = channels.findIndex(({ role }) => role === 'opening')
    const from = await hand.look()
    let at = from
    let read = 0
    const told = async (grip: -1 | 1) => {
      await hand.hold(GRIPPER_SECONDS, grip, (observation) => {
        at = hand.at(observation)
        read = observation.proprio[opening] ?? 0
      })
      return read
    }
    const closed = await told(1)
    const open = await told(-1)
    await robot.rest()
    const moved = gap(at, from)
    if (moved > STEADY)
      throw new InputError(
        name,
        `moved its tool by ${millimetres(moved)} mm while only its gripper was told to move`,
        'Find what moves it: a load that is not set, a controller that is not stiff, another program',
      )
    if (opening < 0) return { 'gripper open': 'not told' }
    if (open - closed < GRIPPED)
      throw new InputError(
        `gripper of ${name}`,
        `reads ${closed.toFixed(2)} closed and ${open.toFixed(2)} open, 0 and 1 are expected`,
        'See whether it moved: if not, check its power and type; if it did, the settings of its opening are wrong',
      )
    return { closed: Number(closed.toFixed(2)), open: Number(open.toFixed(2)) }
  },
}

export const axes: Rung = {
  name: 'axes',
  moves: true,
  look: 'Did the tool go 1 cm and back: first along x (ahead), then along y (to its left), then along z (up)?',
  async climb(site) {
    const { robot } = site.rig
    const findings: Record<string, string> = {}
    let from = await site.hand.look()
    if (AXES.some((_, axis) => wayAlong(site, from, axis) === 0)) {
      await robot.reset(site.task)
      from = await site.hand.look()
      findings.before = 'there was no room for a centimetre, it went to its start first'
    }
    for (const [axis, name] of AXES.entries()) findings[name] = await along(site, from, axis)
    await robot.rest()
    return findings
  },
}

/** 1 or -1, where there is room for it; 0 where there is none in the work box. */
function wayAlong({ rig }: Site, from: Vec3, axis: number): number {
  const { workBox } = rig.robot.limits
  const roomy = (sign: number) => {
    const to = from.map((value, i) => value + (i === axis ? sign * (WAY + ASIDE) : 0))
    return beyond(from, workBox) === 0 && beyond(to, workBox) === 0
  }
  return roomy(1) ? 1 : roomy(-1) ? -1 : 0
}

/** @throws InputError where the tool goes somewhere else, and then it has not gone far */
async function along(site: Site, from: Vec3, axis: number): Promise<string> {
  const { hand, rig } = site
  const { name } = rig.robot.spec
  const sign = wayAlong(site, from, axis)
  if (sign === 0)
    throw new InputError(name, `has no room for a centimetre along ${AXES[axis]} at its start`, 'Widen safety.workBox')
  const asked = `${sign > 0 ? '+' : '-'}${AXES[axis]}`
  const to = from.map((value, i) => value + (i === axis ? sign * WAY : 0)) as Vec3
  const wayOf = (at: Vec3) => sign * (at[axis]! - from[axis]!)
  const asideOf = (at: Vec3) => Math.hypot(...at.map((value, i) => (i === axis ? 0 : value - from[i]!)))
  const wrong = (at: Vec3) => asideOf(at) > ASIDE || wayOf(at) < -FOLLOWED
  const there = await hand.go(to, wrong)
  if (wrong(there) || wayOf(there) < FOLLOWED) {
    await rig.robot.stop()
    const gone = there.map((value, i) => `${AXES[i]} ${millimetres(value - from[i]!)}`).join(', ')
    throw new InputError(
      name,
      `was told to go 10 mm along ${asked} and reads as having gone ${gone} mm`,
      wrong(there)
        ? 'Its axes, or their signs, are not those of its base: correct the frame of its controller or its topics'
        : 'It does not follow: see whether its controller runs, and whether something is in its way',
    )
  }
  const back = await hand.go(from, (at) => asideOf(at) > 2 * ASIDE)
  const rest = gap(back, from)
  if (rest > ASIDE) {
    await rig.robot.stop()
    throw new InputError(
      name,
      `came back from 10 mm along ${asked} to ${millimetres(rest)} mm beside where it was`,
      'See what it touches, and whether its controller is stiff enough for the load',
    )
  }
  return `${asked}: ${millimetres(wayOf(there))} mm there, ${millimetres(asideOf(there))} mm aside, ${millimetres(rest)} mm left on return`
}
