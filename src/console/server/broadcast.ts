/** @file What all pages are told of a run: each event as it comes, states and pictures no faster than a page can show them. */
import type { Observation } from '../../robot/robot.ts'
import { type Board, boardAfter, EMPTY_BOARD, greetingOf, metricsEvent } from '../board.ts'
import { type CameraFrame, type CameraInfo, encodeFrame, type ServerEvent } from '../protocol.ts'
import { PictureStream } from './pictures.ts'

const NEWEST_EVERY = 50 // ms between two events of a kind of which only the newest counts, at least

/** Whoever looks on. */
export interface Audience {
  readonly viewers: number
  readonly framesSkipped: number
  tell(event: ServerEvent): void
  show(frame: Uint8Array): void
  /** Pages that are open have to be greeted: before it they knew of no robot, or of another one. */
  greet(): void
}

const NOBODY: Audience = { viewers: 0, framesSkipped: 0, tell: () => {}, show: () => {}, greet: () => {} }

/** With a picture: which step it is of, and when it was taken. */
export type Moment = Omit<CameraFrame, 'camera' | 'jpeg'>

type Make = () => ServerEvent | null

export class Broadcast {
  private audience = NOBODY
  private board: Board = EMPTY_BOARD
  private readonly waiting = new Map<ServerEvent['kind'], Make>()
  private readonly toldAt = new Map<ServerEvent['kind'], number>()
  private readonly pictures = new PictureStream<Moment>((camera, jpeg, moment) =>
    this.audience.show(encodeFrame({ ...moment, camera, jpeg })),
  )

  constructor(private readonly now: () => number) {}

  seat(audience: Audience): void {
    this.audience = audience
  }

  get viewers(): number {
    return this.audience.viewers
  }

  get framesSkipped(): number {
    return this.audience.framesSkipped
  }

  /** All of the run so far; pages that opened late may have been told fewer updates. */
  get metrics(): Board['metrics'] {
    return this.board.metrics
  }

  /** For the next greeting; pages that are open are not told. */
  note(event: ServerEvent): void {
    this.board = boardAfter(this.board, event, this.now())
  }

  tell(event: ServerEvent): void {
    this.note(event)
    this.audience.tell(event.kind === 'metrics' ? metricsEvent(event.metrics) : event)
  }

  /**
   * An event of which only the newest of its kind counts; it is made when it is told: now, with a later `flush`, or, where
   * nobody looks on, when somebody does.
   * @returns whether that was now
   */
  newest(kind: ServerEvent['kind'], make: Make): boolean {
    this.waiting.set(kind, make)
    return this.viewers > 0 && this.release(kind)
  }

  /** Tells what has waited long enough. To be called every now and then. */
  flush(): void {
    if (this.viewers > 0) for (const kind of [...this.waiting.keys()]) this.release(kind)
  }

  /** The newest pictures of a robot; a page that opens while it waits would have none. */
  picture(cameras: readonly CameraInfo[], images: Observation['images'], moment: Moment): void {
    for (const [camera, { name }] of cameras.entries()) {
      const image = images[name]
      if (image) this.pictures.offer(camera, image, moment)
    }
  }

  /** What a page that opens has to know, in order; nothing before there are robots to show. */
  greeting(client: string): ServerEvent[] {
    for (const kind of [...this.waiting.keys()]) this.make(kind) // for the others, too: all show the same
    return greetingOf(this.board, { client, serverTime: Date.now() }, this.now())
  }

  greet(): void {
    this.audience.greet()
  }

  private release(kind: ServerEvent['kind']): boolean {
    if (this.now() - (this.toldAt.get(kind) ?? -Infinity) < NEWEST_EVERY) return false
    this.make(kind)
    this.toldAt.set(kind, this.now())
    return true
  }

  private make(kind: ServerEvent['kind']): void {
    const event = this.waiting.get(kind)?.()
    this.waiting.delete(kind)
    if (event) this.tell(event)
  }
}
