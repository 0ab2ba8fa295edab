/** @file A robot behind ROS, its stand-in arm, and the wire between them, which can be cut or frozen. */

import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import { RosConfig } from '../../../src/robots/ros/config.ts'
import { FINGER, SERVED, type StandInOptions, serveArm } from '../../../src/robots/ros/serve/arm.ts'
import { KinematicArm } from './kinematic-arm.ts'

/** A TCP wire to a port of this machine. */
export async function openWire(port: number) {
  const pairs = new Set<Socket>()
  const said = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    said.add(near)
    for (const [a, b] of [
      [near, far],
      [far, near],
    ] as const) {
      pairs.add(a)
      a.on('data', (bytes) => void b.write(bytes))
      a.on('error', () => {})
      a.on('close', () => {
        pairs.delete(a)
        b.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    /** The sockets are gone; a new connection is let through. */
    cut: () => {
      for (const socket of pairs) socket.destroy()
    },
    /** Nothing comes and nothing goes, and nobody is told; or only what the client says does not go. */
    freeze: (which: 'both ways' | 'what is said' = 'both ways') => {
      for (const socket of pairs) if (which === 'both ways' || said.has(socket)) socket.pause()
    },
    close: () => {
      for (const socket of pairs) socket.destroy()
      server.close()
    },
  }
}

export const rosConfig = (port: number, changes: Record<string, unknown> = {}) =>
  RosConfig.parse({
    kind: 'ros',
    name: 'ros-test',
    version: 2,
    address: `ws://127.0.0.1:${port}`,
    rate: 20,
    command: { mode: 'pose', topic: SERVED.target },
    pose: SERVED.pose,
    wrench: SERVED.wrench,
    gripper: {
      command: { by: 'topic', topic: SERVED.gripper, open: 1, closed: 0 },
      opening: { topic: SERVED.joints, joint: FINGER, open: 1, closed: 0 },
    },
    reset: { service: SERVED.reset },
    age: { hold: 2, fault: 4 }, // of a machine that does other things, too
    patience: 10,
    safety: {
      workBox: { low: [0.2, -0.4, 0.1], high: [0.8, 0.4, 0.6] },
      speed: 0.5,
      commandAge: 30,
      heartbeatAge: 60,
      pictureAge: 10,
      standing: 20,
    },
    tasks: { reach: { instruction: 'reach the bolt', maxSteps: 50 } },
    ...changes,
  })

/** `serve`: of the stand-in. */
export async function openStage(serve: StandInOptions = {}, cameras: readonly string[] = []) {
  const arm = new KinematicArm(cameras)
  const served = await serveArm(arm, { port: 0, period: 0.01, ...serve })
  const wire = await openWire(Number(new URL(served.address).port))
  return {
    arm,
    wire,
    async close() {
      wire.close()
      await served.close()
    },
  }
}
