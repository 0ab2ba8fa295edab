/** @file What is taken from a message of ROS, how old it is, and what an action says to ROS. */
import { describe, expect, it } from 'vitest'
import { Echo } from '../../../src/robots/ros/echo.ts'
import { readJoints, readPicture, readPose, typeName } from '../../../src/robots/ros/messages.ts'
import { PoseMotion } from '../../../src/robots/ros/motion.ts'
import { describeOffers } from '../../../src/robots/ros/offers.ts'
import { StampClock } from '../../../src/robots/ros/stamp-clock.ts'

const header = { stamp: { sec: 12, nanosec: 500_000_000 }, frame_id: 'base' }
const pose = (x: unknown = 0.5) => ({
  header,
  pose: { position: { x, y: -0.1, z: 0.2 }, orientation: { x: 1, y: 0, z: 0, w: 0 } },
})

describe('names of types', () => {
  it('have "msg" in ROS 2 alone', () => {
    expect(typeName('geometry_msgs/PoseStamped', 1)).toBe('geometry_msgs/PoseStamped')
    expect(typeName('geometry_msgs/PoseStamped', 2)).toBe('geometry_msgs/msg/PoseStamped')
  })
})

describe('a message', () => {
  it('gives its reading with the second of its stamp; quaternions of ROS end with w', () =>
    expect(readPose(pose(), 2)).toEqual({
      stamp: 12.5,
      value: { position: [0.5, -0.1, 0.2], rotation: [0, 1, 0, 0] },
    }))

  it('is stamped in other words by ROS 1', () => {
    const stamped = { ...pose(), header: { seq: 7, stamp: { secs: 3, nsecs: 250_000_000 }, frame_id: '' } }
    expect(readPose(stamped, 1)?.stamp).toBe(3.25)
    expect(() => readPose(stamped, 2)).toThrow('is one of ROS 1, robot.version says 2')
    expect(() => readPose(pose(), 1)).toThrow('is one of ROS 2, robot.version says 1')
  })

  it.each([
    ['a NaN, which JSON has as null', pose(null), 'pose.position.x'],
    ['a missing field', { header, pose: { position: { x: 0, y: 0, z: 0 } } }, 'pose.orientation'],
    ['another type', { header, wrench: {} }, 'pose'],
    ['no rotation', { ...pose(), pose: { ...pose().pose, orientation: { x: 0, y: 0, z: 0, w: 0 } } }, 'no rotation'],
    ['no stamp', { ...pose(), header: { stamp: { sec: 0, nanosec: 0 } } }, 'header.stamp is 0'],
    ['nothing', null, 'the message'],
  ])('with %s is refused, by the name of the field', (_, message, words) =>
    expect(() => readPose(message, 2)).toThrow(words),
  )

  it('of joints is read by name; one of other joints is not ours; one without a number is refused', () => {
    const read = readJoints(['b', 'a'])
    const joints = (name: string[], position: (number | null)[]) => ({ header, name, position })
    expect(read(joints(['a', 'x', 'b'], [1, null, 2]), 2)?.value).toEqual([2, 1])
    expect(read(joints(['finger'], [0]), 2)).toBeNull()
    expect(() => read(joints(['a'], [1]), 2)).toThrow('has no joint "b"')
    expect(() => read(joints(['a', 'b'], [1, null]), 2)).toThrow('joint "b" reads null')
  })

  it('of a picture is JPEG in base64, whatever transport wrote its format', () => {
    const picture = (format: string) => ({ header, format, data: '/9j/' })
    expect(readPicture(picture('rgb8; jpeg compressed bgr8'), 2)?.value).toEqual(Buffer.from([0xff, 0xd8, 0xff]))
    expect(() => readPicture(picture('png'), 2)).toThrow('only JPEG')
  })
})

describe('the age of a reading', () => {
  it('is what it came later by than the quickest one, whatever the two clocks say', () => {
    const clock = new StampClock()
    clock.note(5000, 10.03) // quickest way: 30 ms
    clock.note(5000.1, 10.2)
    clock.note(5000.2, 10.24)
    expect(10.3 - clock.ours(5000.1)).toBeCloseTo(0.17, 9)
    expect(10.3 - clock.ours(5000.2)).toBeCloseTo(0.07, 9)
  })

  it('grows while a stamp stands still, however often it comes', () => {
    const clock = new StampClock()
    for (let t = 0; t <= 1; t += 0.1) clock.note(7, t)
    expect(1 - clock.ours(7)).toBeCloseTo(1, 9)
  })

  it('follows a clock that is set forward, and one that drifts, within its window', () => {
    const clock = new StampClock()
    clock.note(100, 0)
    clock.note(105, 1) // set forward by 4 s
    expect(1 - clock.ours(105)).toBeCloseTo(0, 9)
    clock.note(160, 61.5) // since then 5.5 s slower
    expect(61.5 - clock.ours(160)).toBeCloseTo(0, 9)
  })
})

describe('a pose that is asked for', () => {
  const aim = (action: number[], tool = [0.5, 0, 0.3]) => {
    const said: { pose: { position: object; orientation: { x: number; y: number; z: number; w: number } } }[] = []
    const motion = new PoseMotion(
      'base',
      { translation: 0.01, rotation: 0.2 },
      (message) => void said.push(message as never),
    )
    const at = (position: number[]) => ({ position, rotation: [0, 1, 0, 0] }) as never
    return { said, motion, at, go: (by = action, where = tool) => motion.move(Float32Array.from(by), at(where)) }
  }

  it('is the measured one and the action, turned in the frame of the base', () => {
    const { said, go } = aim([1, -0.5, 0, 0, 0, 1, 0])
    go()
    const { position, orientation } = said[0]!.pose
    expect(position).toEqual({ x: 0.51, y: -0.005, z: 0.3 })
    // half of 0.2 rad about z, after half a turn about x: (cos 0.1 + k sin 0.1) i = i cos 0.1 + j sin 0.1
    expect(orientation.x).toBeCloseTo(Math.cos(0.1), 6)
    expect(orientation.y).toBeCloseTo(Math.sin(0.1), 6)
    expect(Math.abs(orientation.z) + Math.abs(orientation.w)).toBeLessThan(1e-9)
  })

  it('stays where it was as long as the arm is told to hold near it, so that one that sags is not followed down', () => {
    const { said, go } = aim([0, 0, 1, 0, 0, 0, 0])
    go()
    go([0, 0, 0, 0, 0, 0, 1], [0.5, 0, 0.305])
    expect(said[1]).toEqual(said[0])
    go([0, 0, 0, 0, 0, 0, 1], [0.5, 0, 0.25]) // somebody pushed it away
    expect(said[2]!.pose.position).toEqual({ x: 0.5, y: 0, z: 0.25 })
  })

  it('is after a stop where the tool is; nothing where nobody knows', () => {
    const { said, motion, at, go } = aim([0, 0, 1, 0, 0, 0, 0])
    go()
    motion.halt(null)
    expect(said).toHaveLength(1)
    motion.halt(at([0.5, 0, 0.304]))
    expect(said[1]!.pose.position).toEqual({ x: 0.5, y: 0, z: 0.304 })
  })
})

describe('commands', () => {
  const say = (x: number) => ({ header: { frame_id: 'base' }, twist: { linear: { x } } })
  const back = (x: number) => ({ header: { seq: 3, stamp: { secs: 1, nsecs: 2 } }, twist: { linear: { x } } })

  it('have arrived when they come back; what came before them has, too', () => {
    const echo = new Echo()
    for (const [at, x] of [1, 2, 2, 3].entries()) echo.said('/twist', say(x), at)
    expect(echo.lag('/twist', 10)).toBe(10)
    echo.heard('/twist', back(2))
    expect(echo.lag('/twist', 10)).toBe(7) // since the 3 was said
    echo.heard('/twist', back(9)) // somebody else's
    expect(echo.lag('/twist', 10)).toBe(7)
    echo.heard('/twist', back(3))
    expect(echo.lag('/twist', 10)).toBe(0)
  })
})

describe('what a bridge offers', () => {
  const offers = { topics: ['/a', '/b'], types: ['geometry_msgs/msg/PoseStamped', 'std_msgs/msg/Bool'] }
  it.each([
    ['the type under another name', '/c', 'geometry_msgs/PoseStamped', ['geometry_msgs/PoseStamped is on /a']],
    ['another type under that name', '/b', 'geometry_msgs/PoseStamped', ['/b is a std_msgs/Bool there']],
    ['the very topic, which is silent', '/b', 'std_msgs/Bool', ['nobody publishes /b']],
    ['neither', '/c', 'sensor_msgs/JointState', ['it has /a, /b']],
  ])('is told: %s', (_, name, type, words) => expect(describeOffers(offers, [{ name, type }], 2)).toEqual(words))

  it('is of the other ROS', () =>
    expect(describeOffers(offers, [], 1)).toEqual(['its types are those of ROS 2, robot.version says 1']))

  it('is left out where nobody tells', () => expect(describeOffers(null, [{ name: '/a', type: 'x/Y' }], 2)).toEqual([]))
})
