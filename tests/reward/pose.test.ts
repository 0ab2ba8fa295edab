import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { poseReward } from '../../src/reward/pose.ts'
import { decide } from '../../src/reward/reward.ts'
import { vector } from '../../src/robot/channels.ts'
import type { RobotSpec } from '../../src/robot/robot.ts'

const spec = {
  name: 'arm',
  channels: [{ name: 'load', unit: 'N' }, ...vector('tcp', 'm', { of: 'position' })],
} as unknown as RobotSpec
const targets = { insert: { position: [0.5, 0, 0.1] as [number, number, number], within: 0.01, steps: 2 } }

/** Who says what of a step that led to a place; `own`: what the robot itself says. */
function judge(source: ReturnType<typeof poseReward>, place: number[], own = { reward: 0, terminated: false }) {
  const observation = { images: {}, proprio: Float32Array.of(9, ...place), time: 0 }
  return source.judge(observation, { observation, ...own })
}

describe('a place of the tool as the sign of success', () => {
  // 6 and 8 mm along two axes are 10 mm away, 6 and 8.1 mm are more
  const inside = [0.506, 0, 0.1079]
  const outside = [0.506, 0, 0.1081]

  it('counts once the tool was there for the steps of the task in a row', () => {
    const source = poseReward(targets, spec)
    source.begin!('insert')
    const said = [inside, outside, inside, inside].map((place) => judge(source, place))
    expect(said.map(({ reward, terminated }) => [reward, terminated])).toEqual([
      [0, false],
      [0, false],
      [0, false],
      [1, true],
    ])
    expect(said.at(-1)!.by).toBe('robot')
  })

  it('begins anew with each episode', () => {
    const source = poseReward(targets, spec)
    source.begin!('insert')
    judge(source, inside)
    source.begin!('insert')
    expect(judge(source, inside).reward).toBe(0)
  })

  it('takes the place of a success that the robot claims, but not of its failure', () => {
    const source = poseReward({ insert: { ...targets.insert, steps: 1 } }, spec)
    source.begin!('insert')
    expect(judge(source, outside, { reward: 1, terminated: true })).toMatchObject({ reward: 0, terminated: false })
    expect(judge(source, inside, { reward: 0, terminated: true })).toMatchObject({ reward: 0, terminated: true })
  })

  it('is overruled by a person', () => {
    const source = poseReward({ insert: { ...targets.insert, steps: 1 } }, spec)
    source.begin!('insert')
    const observation = { images: {}, proprio: Float32Array.of(9, ...inside), time: 0 }
    const outcome = { observation, reward: 0, terminated: false }
    expect(decide([source], outcome, 'failure', false)).toMatchObject({ reward: 0, terminated: true, by: 'person' })
  })

  it('is refused for a task without a place, and for a robot that does not tell where its tool is', () => {
    expect(() => poseReward(targets, spec).begin!('pick')).toThrow(/reward.targets": has none for task "pick"/)
    expect(() => poseReward(targets, { ...spec, channels: [] })).toThrow(InputError)
  })
})
