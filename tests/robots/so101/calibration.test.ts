/** @file Calibrations as LeRobot writes them, found where it leaves them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  calibrationPaths,
  fromSteps,
  rangeOf,
  readCalibration,
  toSteps,
  writeCalibration,
} from '../../../src/robots/so101/calibration.ts'
import { JOINTS } from '../../../src/robots/so101/joints.ts'

const home = mkdtempSync(join(tmpdir(), 'duet-calibration-'))
afterAll(() => rmSync(home, { recursive: true }))
const env = { HF_HOME: home }

/** Laid out as LeRobot's own files are. */
const filed = Object.fromEntries(
  JOINTS.map((joint, j) => [
    joint,
    { id: j + 1, drive_mode: 0, homing_offset: 10 * j - 20, range_min: 800 + j, range_max: 3200 + 2 * j },
  ]),
)
const put = (path: string, content: unknown) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 4))
}

describe('a calibration', () => {
  it('is found by its id in the folders of LeRobot, the newest layout first', () => {
    put(join(home, 'lerobot/calibration/robots/so101_follower/left.json'), filed)
    expect(readCalibration('follower', 'left', env)).toEqual(filed)
    const newer = { ...filed, gripper: { ...filed.gripper, range_max: 3000 } }
    put(join(home, 'lerobot/calibration/robots/so_follower/left.json'), newer)
    expect(readCalibration('follower', 'left', env)).toEqual(newer)
    expect(() => readCalibration('leader', 'left', env)).toThrow('has no calibration')
  })

  it('lies where HF_LEROBOT_CALIBRATION, HF_LEROBOT_HOME, HF_HOME or the cache say, in this order', () => {
    const at = (settings: NodeJS.ProcessEnv) => calibrationPaths('leader', 'x', settings)[0]
    expect(at({ HF_LEROBOT_CALIBRATION: '/c', HF_LEROBOT_HOME: '/l' })).toBe('/c/teleoperators/so_leader/x.json')
    expect(at({ HF_LEROBOT_HOME: '/l', HF_HOME: '/h' })).toBe('/l/calibration/teleoperators/so_leader/x.json')
    expect(at({ HF_HOME: '/h' })).toBe('/h/lerobot/calibration/teleoperators/so_leader/x.json')
    expect(at({ XDG_CACHE_HOME: '/k' })).toBe('/k/huggingface/lerobot/calibration/teleoperators/so_leader/x.json')
  })

  it('that is missing is asked for with the command that makes it, and with the ids that there are', () => {
    expect(() => readCalibration('follower', 'right', env)).toThrow(
      /follower "right": has no calibration at .*so_follower\/right\.json\. Calibrated are: left\. .*lerobot-calibrate --robot\.type=so101_follower --robot\.id=right/,
    )
  })

  it.each([
    ['a file cut short', '{"shoulder_pan": {', 'is no JSON'],
    ['a joint too few', { ...filed, gripper: undefined }, 'gripper'],
    [
      'an empty range',
      { ...filed, elbow_flex: { ...filed.elbow_flex, range_max: 802 } },
      'elbow_flex, range_min is not below',
    ],
    [
      'two joints on one servo',
      { ...filed, wrist_roll: { ...filed.wrist_roll, id: 1 } },
      'gives shoulder_pan and wrist_roll the same servo, 1',
    ],
    ['a step beyond the turn', { ...filed, gripper: { ...filed.gripper, range_max: 4096 } }, 'gripper.range_max'],
  ])('of %s is refused in words', (_, content, words) => {
    const path = join(home, 'broken.json')
    put(path, content)
    expect(() => readCalibration('follower', path)).toThrow(words)
  })

  it('is written as it is read', () => {
    const path = join(home, 'new/one.json')
    writeCalibration(path, readCalibration('follower', 'left', env))
    expect(readCalibration('follower', path)).toEqual(readCalibration('follower', 'left', env))
    expect(readFileSync(path, 'utf8')).toMatch(/^\{\n {4}"shoulder_pan": \{\n {8}"id": 1,/)
  })
})

describe('joint units', () => {
  const joint = { id: 1, drive_mode: 0 as const, homing_offset: 0, range_min: 1000, range_max: 3000 }

  it('are radians from the middle of the range: (steps - middle)·360/4095 degrees', () => {
    expect(fromSteps(0, joint, 2000)).toBe(0)
    expect((fromSteps(0, joint, 3000) * 180) / Math.PI).toBeCloseTo(87.9121, 4) // 1000·360/4095
    expect(toSteps(0, joint, Math.PI / 2)).toBe(3000) // 1023.75 beyond the middle: cut to the range
    expect(toSteps(0, joint, -0.5)).toBe(1674) // 2000 - 0.5·4095/2π = 1674.1
    expect(rangeOf(0, joint).map((end) => end.toFixed(4))).toEqual(['-1.5344', '1.5344'])
  })

  it('of the gripper are 0 closed to 1 open by its range, turned round where the calibration says so', () => {
    expect(fromSteps(5, joint, 1500)).toBe(0.25)
    expect(toSteps(5, joint, 0.25)).toBe(1500)
    expect(toSteps(5, joint, 1.5)).toBe(3000)
    const turned = { ...joint, drive_mode: 1 as const }
    expect(fromSteps(5, turned, 1500)).toBe(0.75)
    expect(toSteps(5, turned, 0.75)).toBe(1500)
  })
})
