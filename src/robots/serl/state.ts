/** @file What a SERL server tells of its arm at one moment, looked at before it is believed. */
import { z } from 'zod'
import { type Pose, rotate, type Vec3 } from '../../robot/rotation.ts'
import type { SerlConfig } from './config.ts'
import { type ServerConnection, ServerTrouble } from './connection.ts'
import { poseOfSeven } from './poses.ts'

const number = z.number()
const three = z.tuple([number, number, number])
const six = z.tuple([number, number, number, number, number, number])
const seven = z.tuple([number, number, number, number, number, number, number])

export type ArmState = {
  pose: Pose // of the tool, base frame
  velocity: Vec3 // m/s
  angularVelocity: Vec3 // rad/s
  force: Vec3 // N, base frame
  torque: Vec3 // Nm, base frame
  opening: number // of the gripper: 1 open, 0 closed; 0 where there is none
}

const Told = z.object({ pose: seven, vel: six, force: three, torque: three, gripper_pos: number })

/** @throws ServerTrouble where the answer is no state of an arm */
export async function readState(server: ServerConnection, gripper: SerlConfig['gripper']): Promise<ArmState> {
  const told = gripper === 'none' ? await inParts(server) : await server.query('getstate')
  const read = Told.safeParse(told)
  if (!read.success) {
    const [issue] = read.error.issues
    throw wrong(server, `${issue!.path.join('.') || 'the answer'}: ${issue!.message}`)
  }
  const { pose: numbers, vel, force, torque, gripper_pos } = read.data
  const [, , , qx, qy, qz, qw] = numbers
  const size = qx ** 2 + qy ** 2 + qz ** 2 + qw ** 2
  if (!(size > 0.9 && size < 1.1)) throw wrong(server, `its quaternion has |q|² = ${size.toFixed(3)}`)
  const pose = poseOfSeven(numbers)
  return {
    pose,
    velocity: [vel[0], vel[1], vel[2]],
    angularVelocity: [vel[3], vel[4], vel[5]],
    force: rotate(pose.rotation, force), // told in the frame of the tool
    torque: rotate(pose.rotation, torque),
    opening: gripper_pos,
  }
}

/** A server without a gripper fails at getstate. */
async function inParts(server: ServerConnection): Promise<unknown> {
  const parts = await Promise.all(['getpos', 'getvel', 'getforce', 'gettorque'].map((route) => server.query(route)))
  return Object.assign({ gripper_pos: 0 }, ...parts)
}

const wrong = (server: ServerConnection, what: string) =>
  new ServerTrouble(
    server.at('getstate'),
    `tells no state of an arm: ${what}`,
    'Is this a SERL server, and is its arm connected?',
    'sensor',
  )
