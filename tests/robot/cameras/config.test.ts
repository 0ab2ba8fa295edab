import { describe, expect, it } from 'vitest'
import { parseCameras } from '../../../src/robot/cameras/config.ts'

const parse = (front: unknown) => parseCameras('robot.cameras', { front })
const small = { width: 8, height: 8 }

describe('settings of cameras', () => {
  it('are a kind, its source, and what the policy sees', () =>
    expect(parse({ kind: 'usb', device: '/dev/video0', ...small, capture: { width: 640, height: 480 } })).toEqual({
      front: { kind: 'usb', device: '/dev/video0', ...small, rotate: 0, capture: { width: 640, height: 480, fps: 30 } },
    }))

  it.each([
    [
      { kind: 'usbc', ...small },
      'robot.cameras.front.kind: is no kind of camera. Choose one of: usb, mjpeg, file, test, ros',
    ],
    [{ kind: 'usb', ...small }, 'robot.cameras.front.device: '],
    [{ kind: 'test', height: 8 }, 'robot.cameras.front.width: '],
    [{ kind: 'test', ...small, width: 0 }, 'robot.cameras.front.width: '],
    [{ kind: 'test', ...small, rotate: 45 }, 'robot.cameras.front.rotate: '],
    [{ kind: 'test', ...small, crop: { left: -1, top: 0, width: 4, height: 4 } }, 'robot.cameras.front.crop.left: '],
    [{ kind: 'mjpeg', url: 'rtsp://camera/1', ...small }, 'robot.cameras.front.url: is no http:// or https:// address'],
    [{ kind: 'test', ...small, colour: 'red' }, 'robot.cameras.front: Unrecognized key: "colour"'],
  ])('%j are refused with the field and what to do', (front, text) => {
    expect(() => parse(front)).toThrow(text)
    expect(() => parse(front)).toThrow(/(Choose one of|Correct it)/)
  })

  it('refuse a name that would be no file name', () =>
    expect(() => parseCameras('robot.cameras', { '../front': { kind: 'test', ...small } })).toThrow('../front'))
})
