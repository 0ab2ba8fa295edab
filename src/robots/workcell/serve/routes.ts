/** @file The routes of a SERL server over the simulated arm: what each takes, does and answers. */
import { z } from 'zod'
import { eulerOf } from '../../../robot/rotation.ts'
import { unit } from '../spatial.ts'
import type { Pose, Quat } from '../truth.ts'
import type { Plant } from './plant.ts'

/** What a route answers: an object as JSON, or a plain text; a refusal with its status. */
export type RouteAnswer = Record<string, unknown> | string | { status: 400 | 500; why: string }

export type Route = {
  takesJson?: boolean
  answer(plant: Plant, body: unknown): RouteAnswer
}

/** xyzw, as scipy has it. */
const poseOf = ({ position, rotation: [w, x, y, z] }: Pose): number[] => [...position, x, y, z, w]

const query = (read: (plant: Plant) => Record<string, unknown>): Route => ({ answer: read })

const command = (words: string, act: (plant: Plant) => void): Route => ({
  answer(plant) {
    act(plant)
    return words
  },
})

/** A route whose body has to be as the schema says; the server answers another one with 500, as an exception there does. */
const taking = <T>(schema: z.ZodType<T>, act: (plant: Plant, body: T) => RouteAnswer): Route => ({
  takesJson: true,
  answer(plant, body) {
    const read = schema.safeParse(body)
    if (read.success) return act(plant, read.data)
    const [issue] = read.error.issues
    return { status: 500, why: `${issue!.path.join('.') || 'the body'}: ${issue!.message}` }
  },
})

const finite = z.number()
const three = z.tuple([finite, finite, finite])
const SEVEN = z.strictObject({ arr: z.tuple([finite, finite, finite, finite, finite, finite, finite]) })
const LOAD = z.object({ mass: finite, F_x_center_load: three, load_inertia: z.array(finite).length(9) })
const UNIT = { least: 0.9, most: 1.1 } // |q|²: numbers sent as float32, or interpolated, are a little off 1

/** The equilibrium pose. What is no rotation moves nothing: a real server takes it, and its arm is lost. */
function move(plant: Plant, { arr: [x, y, z, qx, qy, qz, qw] }: z.infer<typeof SEVEN>): RouteAnswer {
  const size = qx ** 2 + qy ** 2 + qz ** 2 + qw ** 2
  if (!(size >= UNIT.least && size <= UNIT.most))
    return { status: 400, why: `the quaternion has |q|² = ${size.toFixed(3)}, 1 is expected: nothing moved` }
  const rotation: Quat = unit([qw, qx, qy, qz])
  plant.moveTo({ position: [x, y, z], rotation })
  return 'Moved'
}

/** The hand of the workcell opens or closes: of a width only on which side of the middle it is. */
const WIDTH = z.object({ gripper_pos: finite })
const HALF_OPEN = (0.05 / 2) * 2550 // of 0 to 255, which a Franka hand takes as n / 2550 m

export const ROUTES: Readonly<Record<string, Route>> = {
  getstate: query(({ state }) => ({
    pose: poseOf(state.tool),
    vel: [...state.velocity, ...state.angularVelocity],
    force: state.force,
    torque: [0, 0, 0],
    q: state.q,
    dq: state.dq,
    jacobian: state.jacobian,
    gripper_pos: state.opening,
  })),
  getpos: query(({ state }) => ({ pose: poseOf(state.tool) })),
  getpos_euler: query(({ state: { tool } }) => ({ pose: [...tool.position, ...eulerOf(tool.rotation)] })),
  getvel: query(({ state }) => ({ vel: [...state.velocity, ...state.angularVelocity] })),
  getforce: query(({ state }) => ({ force: state.force })),
  gettorque: query(() => ({ torque: [0, 0, 0] })),
  getq: query(({ state }) => ({ q: state.q })),
  getdq: query(({ state }) => ({ dq: state.dq })),
  getjacobian: query(({ state }) => ({ jacobian: state.jacobian })),
  get_gripper: query(({ state }) => ({ gripper: state.opening })),
  pose: taking(SEVEN, move),
  clearerr: command('Clear', (plant) => plant.clearError()),
  update_param: taking(z.record(z.string(), z.unknown()), (plant, change) =>
    plant.comply(change)
      ? 'Updated compliance parameters'
      : { status: 500, why: `one of ${Object.keys(change).join(', ')} is no parameter, or no number` },
  ),
  jointreset: command('Reset Joint', (plant) => plant.reset()),
  startimp: command('Started impedance', (plant) => plant.startController()),
  stopimp: command('Stopped impedance', (plant) => plant.stopController()),
  set_load: taking(LOAD, () => 'Set Load'), // nothing to compensate for
  open_gripper: command('Opened', (plant) => plant.grip('open')),
  close_gripper: command('Closed', (plant) => plant.grip('close')),
  close_gripper_slow: command('Closed', (plant) => plant.grip('close')),
  move_gripper: taking(WIDTH, (plant, { gripper_pos }) => {
    plant.grip(gripper_pos > HALF_OPEN ? 'open' : 'close')
    return 'Moved Gripper'
  }),
  activate_gripper: command('Activated', () => {}),
  reset_gripper: command('Reset', () => {}),
}
