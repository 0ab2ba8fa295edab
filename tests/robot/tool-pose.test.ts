import { expect, it } from 'vitest'
import { vector } from '../../src/robot/channels.ts'
import type { Quat } from '../../src/robot/rotation.ts'
import { toolPose } from '../../src/robot/tool-pose.ts'

const position = vector('tcp', 'm', { of: 'position' })
const turn = vector('tcp.turn', 'rad', { of: 'turn' })
const home: Quat = [0, 1, 0, 0] // pointing down: half a turn about x

it('is the turn that the channels tell, after the orientation at home', () => {
  const channels = [{ name: 'gripper', unit: '' }, ...turn, ...position]
  const { position: at, rotation } = toolPose({ channels, home })!([1, 0, 0, Math.PI / 2, 0.4, 0.1, 0.3])
  expect(at).toEqual([0.4, 0.1, 0.3])
  // [√½, 0, 0, √½] times [0, 1, 0, 0], by hand
  for (const [axis, expected] of [0, Math.SQRT1_2, Math.SQRT1_2, 0].entries())
    expect(rotation[axis]).toBeCloseTo(expected)
})

it.each([
  ['position', { channels: turn, home }],
  ['turn', { channels: position, home }],
  ['orientation at home', { channels: [...position, ...turn] }],
])('is not known of a robot that does not tell its %s', (_, spec) => expect(toolPose(spec)).toBeNull())
