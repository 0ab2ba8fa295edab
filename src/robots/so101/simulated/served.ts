/**
 * @file What a simulated arm at the end of a pseudo terminal offers by HTTP: its cameras as streams, and, for tests alone, its truth.
 * A mark lies within its reach; a task may be to bring the tool there.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InputError } from '../../../errors.ts'
import { RandomStream } from '../../../random/stream.ts'
import { cameraClock, type Frame } from '../../../robot/cameras/camera.ts'
import { CAMERA_FAULTS, FaultyCamera } from '../../../robot/cameras/faults.ts'
import { mjpegServer } from '../../../robot/cameras/mjpeg-server.ts'
import type { Vec3 } from '../../../robot/rotation.ts'
import { MotionWatch, TestChannel, type Tested } from '../../../robot/test-channel.ts'
import { fromSteps } from '../calibration.ts'
import { posture } from '../chain.ts'
import { JOINTS, type JointVector } from '../joints.ts'
import { SIMULATED_CALIBRATION } from './arm.ts'
import type { SimulatedBus } from './bus.ts'
import { SIMULATED_CAMERAS, simulatedPictures, withSensorNoise } from './picture.ts'

const FRAMES = 30 // pictures a second, at most
const FAULTY = 'wrist' // the camera of which tests make a bad one
const STALLS = 0 // the joint that does: shoulder_pan
const MARK = { middle: [0.24, 0, 0.12], range: [0.03, 0.08, 0.03] } as const // m, base frame
const WITHIN = 0.015 // m

/** The mark, and how the tool stands to it. */
export class MarkedArm implements Tested {
  mark: Vec3 = [...MARK.middle]
  private reached = false
  private readonly camera = new FaultyCamera()
  private readonly noise = new RandomStream(0, 'sensor noise')
  private seen: Record<string, Frame> = {}
  private seenAt = Number.NEGATIVE_INFINITY
  readonly faults: Readonly<Record<string, (on: boolean) => void>>

  constructor(
    private readonly bus: SimulatedBus,
    unplug: (on: boolean) => void,
  ) {
    this.faults = {
      ...Object.fromEntries(
        CAMERA_FAULTS.map((fault) => [fault, (on: boolean) => this.camera.put(on ? fault : null)] as const),
      ),
      stalled: (on) => {
        const servo = bus.servos[STALLS]!
        if (on) servo.hold()
        else servo.free = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
      },
      silent: (on) => {
        for (const servo of bus.servos) bus.silent[on ? 'add' : 'delete'](servo.get('id'))
      },
      unplugged: unplug,
    }
  }

  get angles(): JointVector {
    return this.bus.servos.map((servo, j) => fromSteps(j, SIMULATED_CALIBRATION[JOINTS[j]!], servo.told))
  }

  private get away(): Vec3 {
    const { position } = posture(this.angles).tool
    return this.mark.map((value, i) => value - position[i]!) as Vec3
  }

  /** To be called again and again: a mark that was reached stays reached. */
  look(): void {
    this.reached ||= Math.hypot(...this.away) < WITHIN
  }

  truth() {
    this.look()
    return { reward: this.reached ? 1 : 0, terminated: this.reached, away: this.away, mark: this.mark }
  }

  lay({ seed }: { seed: number }): void {
    const stream = new RandomStream(seed, 'mark')
    this.mark = MARK.middle.map((value, i) => value + stream.uniform(-MARK.range[i]!, MARK.range[i]!)) as Vec3
    this.reached = false
  }

  /** The newest picture of a camera. */
  show(camera: string): Frame {
    const now = cameraClock()
    if (now - this.seenAt > 1 / FRAMES) {
      this.seenAt = now
      const images = Object.entries(simulatedPictures(this.angles, this.mark))
      this.seen = Object.fromEntries(
        images.map(([name, image]) => {
          const frame = { image: withSensorNoise(image, this.noise), received: now }
          return [name, name === FAULTY ? this.camera.show(frame) : frame]
        }),
      )
    }
    return this.seen[camera]!
  }
}

/** `truth`: also for tests. @throws InputError if the port is taken */
export async function serveSimulated(
  arm: MarkedArm,
  bus: SimulatedBus,
  { port, truth }: { port: number; truth: boolean },
): Promise<{ address: string; close(): Promise<void> }> {
  const cameras = mjpegServer({
    cameras: () => Object.keys(SIMULATED_CAMERAS),
    newest: (name) => arm.show(name),
    fps: FRAMES,
  })
  const tests = truth ? new TestChannel(arm) : null
  if (tests) noteGoals(bus, tests)
  const server = createServer((request, response) => {
    if (!cameras.handle(request, response) && !tests?.handle(request, response)) response.writeHead(404).end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new InputError(`port ${port}`, `cannot be opened: ${cause.message}`, 'Choose another --cameras-port', {
          cause,
        }),
      ),
    )
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      cameras.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Goals of all six servos come in one packet, which ends with the last one's. */
function noteGoals(bus: SimulatedBus, tests: TestChannel): void {
  const watch = new MotionWatch(1) // step
  const { servos } = bus
  const last = servos.at(-1)!.get('id')
  bus.onGoal = (id) => {
    watch.tell(servos.map(({ told }) => told))
    if (id === last) tests.note(watch.asksForMotion(servos.map((servo) => servo.get('goalPosition'))))
  }
  const receive = bus.receive.bind(bus)
  bus.receive = (bytes) => {
    const replies = receive(bytes)
    watch.tell(servos.map(({ told }) => told))
    return replies
  }
}
