/** @file Camera frames on their way to the screen: for each camera only the newest is decoded, one at a time. */
import type { CameraFrame } from '../../protocol.ts'

export type Picture = { bitmap: ImageBitmap; frame: CameraFrame }

type Lane = {
  newest: CameraFrame | null // kept for whoever looks later: a robot that rests sends no other
  waiting: CameraFrame | null
  busy: boolean
  listeners: Set<(picture: Picture) => void>
}

export class Frames {
  private readonly lanes = new Map<number, Lane>()
  /** Frames that a newer one overtook before they were decoded. */
  overtaken = 0
  private forgotten = 0 // times

  private lane(camera: number): Lane {
    let lane = this.lanes.get(camera)
    if (!lane) this.lanes.set(camera, (lane = { newest: null, waiting: null, busy: false, listeners: new Set() }))
    return lane
  }

  /** Calls back with each decoded picture. Whoever subscribes draws at once: the bitmap is closed afterwards. */
  subscribe(camera: number, listener: (picture: Picture) => void): () => void {
    const lane = this.lane(camera)
    lane.listeners.add(listener)
    lane.waiting ??= lane.newest
    if (!lane.busy) void this.drain(lane)
    return () => lane.listeners.delete(listener)
  }

  /** Another robot is shown, or another server: what was seen until now is none of its pictures. */
  forget(): void {
    this.forgotten++
    for (const lane of this.lanes.values()) lane.newest = lane.waiting = null
  }

  push(frame: CameraFrame): void {
    const lane = this.lane(frame.camera)
    if (lane.waiting) this.overtaken++
    lane.newest = frame
    if (lane.listeners.size === 0) return
    lane.waiting = frame
    if (!lane.busy) void this.drain(lane)
  }

  private async drain(lane: Lane): Promise<void> {
    lane.busy = true
    for (let frame = lane.waiting; frame; frame = lane.waiting) {
      lane.waiting = null
      const { forgotten } = this
      try {
        const bitmap = await createImageBitmap(new Blob([frame.jpeg.slice()], { type: 'image/jpeg' }))
        if (forgotten === this.forgotten) for (const listener of lane.listeners) listener({ bitmap, frame })
        bitmap.close()
      } catch {
        // a picture that cannot be decoded is left out; the frame's age on screen tells
      }
    }
    lane.busy = false
  }
}
