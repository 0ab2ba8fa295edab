/** @file What can go wrong with a served camera, put in by hand for tests of whoever looks through it. */
import type { Frame } from './camera.ts'

/** frozen: the same picture goes on coming. black: a black one does. stopped: none comes. */
export const CAMERA_FAULTS = ['frozen', 'black', 'stopped'] as const
export type CameraFault = (typeof CAMERA_FAULTS)[number]

export class FaultyCamera {
  private fault: CameraFault | null = null
  private last: Frame | null = null

  put(fault: CameraFault | null): void {
    this.fault = fault
  }

  /** What it shows, where a sound one would show `frame`. */
  show(frame: Frame): Frame {
    if (this.fault === null || this.last === null) this.last = frame
    const { last, fault } = this
    if (fault === 'frozen') return { ...last, received: frame.received }
    if (fault === 'stopped') return last
    if (fault === 'black') return { image: black(frame), received: frame.received }
    return frame
  }
}

const black = ({ image: { width, height } }: Frame) => ({ width, height, data: new Uint8Array(3 * width * height) })
