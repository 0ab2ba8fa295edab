/** @file The first rungs, on which nothing moves: what the robot reads, and what its cameras see. */
import { InputError } from '../../errors.ts'
import { contactSheet } from '../../formats/images.ts'
import { quantile } from '../../metrics/statistics.ts'
import { vectorOf } from '../../robot/channels.ts'
import { describeFault } from '../../robot/fault.ts'
import { gap } from '../../robot/rotation.ts'
import { isFlat } from '../../robot/senses.ts'
import { toolPose } from '../../robot/tool-pose.ts'
import { turnedBeyond } from '../../robot/turn-box.ts'
import { beyond } from '../../robot/work-box.ts'
import { clearing } from './hand.ts'
import { millimetres, type Rung, watch } from './rung.ts'

const SECONDS = 2
const STILL = 0.005 // m that the readings of a robot may spread while nobody moves it

export const state: Rung = {
  name: 'state',
  moves: false,
  look: 'Is the tool where the numbers say, in metres from the base: x ahead, y to its left, z up?',
  async climb(site) {
    const { robot } = site.rig
    const { spec, limits } = robot
    if (robot.fault)
      throw new InputError(spec.name, `holds after a fault, ${describeFault(robot.fault)}`, clearing(spec.name))
    const seen = await watch(site, SECONDS)
    const places = seen.map((observation) => site.hand.at(observation))
    const [at, last] = [places.at(-1)!, seen.at(-1)!]
    const spread = Math.max(...places.map((place) => gap(place, at)))
    if (spread > STILL)
      throw new InputError(
        spec.name,
        `reads as moving by ${millimetres(spread)} mm while nobody moves it`,
        'Find who else commands it, or what is loose; then begin again',
      )
    const force = vectorOf(spec.channels, 'force')
    const forces = force ? seen.map(({ proprio }) => Math.hypot(...force.map((i) => proprio[i]!))) : []
    const most = Math.max(0, ...forces)
    if (most > limits.force)
      throw new InputError(
        spec.name,
        `reads ${most.toFixed(1)} N while it stands still, the limit is ${limits.force} N`,
        'See what it touches; where nothing does, set the load of the tool on the robot, or zero its sensor',
      )
    const tool = toolPose(spec)
    const opening = spec.channels.findIndex(({ role }) => role === 'opening')
    return {
      'tool [m]': at.map((value) => value.toFixed(3)).join(', '),
      'spread [mm]': millimetres(spread),
      ...(force && { 'largest force [N]': Number(most.toFixed(1)) }),
      ...(opening >= 0 && { 'gripper open': Number(last.proprio[opening]!.toFixed(2)) }),
      'within its work box':
        beyond(at, limits.workBox) === 0 &&
        (!tool || turnedBeyond(tool(last.proprio).rotation, limits.workBox?.turn) === 0),
      readings: seen.length,
    }
  },
}

export const cameras: Rung = {
  name: 'cameras',
  moves: false,
  look: 'Are the pictures beside the report those of these cameras: sharp, the right way up, the scene in them?',
  async climb(site) {
    const { robot } = site.rig
    const { spec, limits } = robot
    const names = Object.keys(spec.cameras)
    if (names.length === 0) return { cameras: 'none' }
    const seen = await watch(site, SECONDS)
    const last = seen.at(-1)!
    return Object.fromEntries(
      names.flatMap((name) => {
        const image = last.images[name]!
        const file = site.keep(`camera-${name}.png`, contactSheet([image]))
        if (isFlat(image))
          throw new InputError(
            `camera ${name}`,
            `shows nothing: its picture (${file}) is black or white all over`,
            'Uncover its lens, give it light, then begin again',
          )
        const told = seen.flatMap(({ taken, time }) => (taken?.[name] === undefined ? [] : [time - taken[name]]))
        if (told.length === 0) return [[name, file]]
        const age = quantile(told, 0.5)
        if (age > limits.pictureHold)
          throw new InputError(
            `camera ${name}`,
            `gives pictures that are ${(1000 * age).toFixed(0)} ms old, and the robot holds with more than ${1000 * limits.pictureHold} ms`,
            'Use a cable, a smaller capture size, or close what loads this computer',
          )
        const fresh = new Set(seen.map(({ taken }) => taken![name])).size
        return [[name, `${file}, ${(fresh / SECONDS).toFixed(1)} new pictures/s, ${(1000 * age).toFixed(0)} ms old`]]
      }),
    )
  },
}
