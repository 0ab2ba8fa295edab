/** @file A camera at this computer: its own JPEG where it makes any, else encoded by ffmpeg. */
import { existsSync } from 'node:fs'
import { InputError } from '../../../errors.ts'
import type { CameraConfig } from '../config.ts'
import { type FfmpegInput, openFfmpeg } from './ffmpeg.ts'
import type { PictureSource, Sink } from './source.ts'

type Usb = Pick<Extract<CameraConfig, { kind: 'usb' }>, 'device' | 'capture'>

const ENCODE = ['-c:v', 'mjpeg', '-q:v', '3']
const COPY = ['-c:v', 'copy']

/** @throws InputError if there is no such device */
export function openUsb(name: string, config: Usb, sink: Sink): PictureSource {
  const { device } = config
  if (process.platform === 'linux' && !existsSync(device))
    throw new InputError(
      `cameras.${name}.device`,
      `is ${device}, which is not there`,
      'Plug it in; `duet cameras` lists what is there',
    )
  return openFfmpeg(`camera ${name}`, readingsOf(config, process.platform), sink)
}

/** How ffmpeg is to read a device: Video4Linux, AVFoundation or DirectShow. */
export function readingsOf({ device, capture }: Usb, platform: NodeJS.Platform): FfmpegInput[] {
  const taken = capture ? ['-video_size', `${capture.width}x${capture.height}`, '-framerate', `${capture.fps}`] : []
  if (platform === 'darwin') return [['-f', 'avfoundation', ...taken, '-i', `${device}:none`, ...ENCODE]]
  if (platform === 'win32') {
    const input = ['-i', `video=${device}`]
    const own = ['-f', 'dshow', ...taken, '-vcodec', 'mjpeg', ...input, ...COPY]
    return [own, ['-f', 'dshow', ...taken, ...input, ...ENCODE]]
  }
  const own = ['-f', 'v4l2', '-input_format', 'mjpeg', ...taken, '-i', device, ...COPY]
  return [own, ['-f', 'v4l2', ...taken, '-i', device, ...ENCODE]]
}
