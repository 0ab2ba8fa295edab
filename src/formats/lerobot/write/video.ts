/** @file The pictures of an episode as an mp4, by an ffmpeg on the PATH: H.264 of constant frame rate that LeRobot's decoders seek in. */
import { once } from 'node:events'
import { InputError } from '../../../errors.ts'
import { startFfmpeg } from '../../../ffmpeg.ts'
import type { Image } from '../../../robot/robot.ts'

const REMEDY = 'Take an ffmpeg that has libx264, or leave --video out: images need no ffmpeg'

/** A keyframe every other frame, and no B frames: a frame is found without decoding many. */
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-g', '2', '-bf', '0', '-pix_fmt', 'yuv420p']
const TICKS_A_FRAME = 1024 // of the track's clock: times are exact

/** Writes `file`, all or an error. The images are raw, or all of them the camera's JPEG. @throws InputError if ffmpeg is missing or refuses */
export async function writeVideo(file: string, images: readonly Image[], rate: number): Promise<void> {
  const [first] = images
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${first!.width}x${first!.height}`]
  const input = first!.jpeg ? ['-f', 'image2pipe', '-c:v', 'mjpeg'] : raw
  const output = ['-video_track_timescale', String(TICKS_A_FRAME * rate), '-movflags', '+faststart', '-f', 'mp4']
  const { child, ended, lastLine } = startFfmpeg(
    file,
    ['-v', 'error', '-y', ...input, '-r', String(rate), '-i', '-', ...H264, ...output, file],
    'leave --video out: images need no ffmpeg',
  )
  for (const image of images) {
    if (child.exitCode !== null || child.stdin.destroyed) break
    if (!child.stdin.write(image.jpeg ?? image.data))
      await Promise.race([once(child.stdin, 'drain').catch(() => ended), ended])
  }
  child.stdin.end()
  const code = await ended
  if (code !== 0) throw new InputError(file, `ffmpeg ended with code ${code} (${lastLine()})`, REMEDY)
}
