/** @file Lists of devices, from a made-up /sys and from what ffmpeg prints elsewhere. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { devicesOfMac, devicesOfWindows, videoDevices } from '../../../src/robot/cameras/devices.ts'

const root = mkdtempSync(join(tmpdir(), 'duet-devices-'))
afterAll(() => rmSync(root, { recursive: true }))

it('Linux: a camera is its first node, with the name that stays', () => {
  mkdirSync(join(root, 'dev/v4l/by-id'), { recursive: true })
  for (const [node, index, name] of [
    ['video10', '0', 'Arm camera'],
    ['video0', '0', 'Integrated Camera'],
    ['video1', '1', 'Integrated Camera'],
  ] as const) {
    const folder = join(root, 'sys/class/video4linux', node)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'index'), `${index}\n`)
    writeFileSync(join(folder, 'name'), `${name}\n`)
    writeFileSync(join(root, 'dev', node), '')
  }
  symlinkSync('../../video10', join(root, 'dev/v4l/by-id/usb-Arm_camera-video-index0'))
  expect(videoDevices(root)).toEqual([
    { device: '/dev/video0', name: 'Integrated Camera' },
    { device: '/dev/video10', name: 'Arm camera', stable: '/dev/v4l/by-id/usb-Arm_camera-video-index0' },
  ])
  expect(videoDevices(join(root, 'elsewhere'))).toEqual([])
})

it('macOS: those below the heading of the video devices', () =>
  expect(
    devicesOfMac(
      [
        '[AVFoundation indev @ 0x14a] AVFoundation video devices:',
        '[AVFoundation indev @ 0x14a] [0] FaceTime HD Camera',
        '[AVFoundation indev @ 0x14a] [1] USB Camera',
        '[AVFoundation indev @ 0x14a] AVFoundation audio devices:',
        '[AVFoundation indev @ 0x14a] [0] Microphone',
      ].join('\n'),
    ),
  ).toEqual([
    { device: '0', name: 'FaceTime HD Camera' },
    { device: '1', name: 'USB Camera' },
  ]))

it('Windows: those that are video', () =>
  expect(
    devicesOfWindows(
      [
        '[dshow @ 0001] "Integrated Camera" (video)',
        '[dshow @ 0001]   Alternative name "@device_pnp_x"',
        '[dshow @ 0001] "Microphone" (audio)',
      ].join('\n'),
    ),
  ).toEqual([{ device: 'Integrated Camera', name: 'Integrated Camera' }]))
