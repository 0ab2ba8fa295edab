/** @file The workcell behind the routes of a SERL server, as a client of anybody's meets it. */
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Compliance } from '../../../src/robots/workcell/serve/compliance.ts'
import { type SerlServer, serveWorkcell } from '../../../src/robots/workcell/serve/server.ts'

let serving: SerlServer
beforeAll(async () => {
  serving = await serveWorkcell({
    task: 'pick',
    seed: 3,
    port: 0,
    standing: true,
    truth: true,
    cell: { arm: 'gantry' },
  })
})
afterAll(() => serving.close())
beforeEach(() => serving.plant.reset())

const post = async (route: string, body?: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${serving.url}${route}`, {
    method: 'POST',
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    }),
  })
  return { status: response.status, text: await response.text() }
}
const ask = async (route: string) => JSON.parse((await post(route)).text)
const pose = async (): Promise<number[]> => (await ask('getpos')).pose
const wait = (seconds: number) => serving.plant.pass(seconds)
const apart = (a: readonly number[], b: readonly number[]) => Math.hypot(...[0, 1, 2].map((i) => a[i]! - b[i]!))

/** A request as somebody writes it who is no client of ours. @returns the first line of the answer */
const written = (line: string) =>
  new Promise<string>((resolve, reject) => {
    const { hostname, port } = new URL(serving.url)
    const socket = connect(Number(port), hostname, () => socket.write(`${line} HTTP/1.1\r\nHost: robot\r\n\r\n`))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(String(data).split('\r\n')[0]!)
    })
    socket.once('error', reject)
  })

it.each(['GET //', 'POST //', 'GET /\\', 'POST http://'])(
  'an address that is none, "%s", ends nothing',
  async (line) => {
    expect(await written(line)).toMatch(/^HTTP\/1.1 4\d\d/)
    expect((await post('getpos')).status).toBe(200)
  },
)

describe('queries', () => {
  it('tell a state of the shape that FrankaEnv reads, whatever the arm', async () => {
    const state = await ask('getstate')
    const lengths = Object.fromEntries(['pose', 'vel', 'force', 'torque', 'q', 'dq'].map((k) => [k, state[k].length]))
    expect(lengths).toEqual({ pose: 7, vel: 6, force: 3, torque: 3, q: 7, dq: 7 })
    expect(state.jacobian.map((row: number[]) => row.length)).toEqual([7, 7, 7, 7, 7, 7])
    expect(state.gripper_pos).toBeCloseTo(1, 2)
    expect((await ask('get_gripper')).gripper).toBe(state.gripper_pos)
  })

  it('tell one rotation as a quaternion with its real part last, and as angles about fixed axes', async () => {
    const [, , , qx, qy, qz, qw] = (await pose()) as [number, number, number, number, number, number, number]
    const [, , , rx, ry, rz] = (await ask('getpos_euler')).pose
    // R = Rz(rz) Ry(ry) Rx(rx), its entries by hand from either
    expect(-Math.sin(ry)).toBeCloseTo(2 * (qx * qz - qw * qy), 9)
    expect(Math.cos(ry) * Math.sin(rx)).toBeCloseTo(2 * (qy * qz + qw * qx), 9)
    expect(Math.cos(rz) * Math.cos(ry)).toBeCloseTo(1 - 2 * (qy ** 2 + qz ** 2), 9)
  })

  it('tell a velocity that is the Jacobian times those of the joints', async () => {
    const [x, y, z, ...q] = await pose()
    await post('pose', { arr: [x! + 0.05, y, z, ...q] })
    wait(0.05)
    const { vel, jacobian, dq } = await ask('getstate')
    expect(Math.abs(vel[0])).toBeGreaterThan(0.01)
    jacobian.forEach((row: number[], i: number) => {
      expect(row.reduce((sum, value, j) => sum + value * dq[j], 0)).toBeCloseTo(vel[i], 9)
    })
  })
})

describe('commands', () => {
  it.each([
    ['clearerr', undefined, 'Clear'],
    ['startimp', undefined, 'Started impedance'],
    ['update_param', { translational_stiffness: 1000 }, 'Updated compliance parameters'],
    ['set_load', { mass: 0, F_x_center_load: [0, 0, 0], load_inertia: Array(9).fill(0) }, 'Set Load'],
    ['open_gripper', undefined, 'Opened'],
    ['close_gripper', undefined, 'Closed'],
    ['close_gripper_slow', undefined, 'Closed'],
    ['move_gripper', { gripper_pos: 0 }, 'Moved Gripper'],
    ['activate_gripper', undefined, 'Activated'],
    ['reset_gripper', undefined, 'Reset'],
    ['jointreset', undefined, 'Reset Joint'],
  ])('%s is answered as by the real one', async (route, body, words) => {
    expect(await post(route, body)).toEqual({ status: 200, text: words })
  })

  it('are refused by the status that a client of the real one meets', async () => {
    for (const route of ['getstate', 'pose', 'clearerr']) expect((await fetch(serving.url + route)).status).toBe(405)
    expect((await post('nothing')).status).toBe(404)
    expect((await post('pose', '{}', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await post('pose', '{"arr": [')).status).toBe(400)
    expect((await post('pose', { array: [] })).status).toBe(500)
    expect((await post('pose', { arr: [0, 0, 0, 1, 0, 0] })).status).toBe(500)
    expect((await post('update_param', { nonsense: 1 })).status).toBe(500)
    expect((await post('pose', `"${'x'.repeat(70_000)}"`)).status).toBe(413)
  })

  it.each([
    ['a NaN', (p: number[]) => `{"arr": [NaN, ${p.slice(1)}]}`],
    [
      'a quaternion of norm 2',
      ([x, y, z, ...q]: number[]) => JSON.stringify({ arr: [x! + 0.05, y, z, ...q.map((v) => 2 * v)] }),
    ],
    ['a quaternion of norm 0', ([x, y, z]: number[]) => JSON.stringify({ arr: [x! + 0.05, y, z, 0, 0, 0, 0] })],
  ])('of %s moves nothing', async (_, spoil) => {
    const from = await pose()
    expect((await post('pose', spoil(from))).status).toBe(400)
    wait(0.3)
    expect(apart(await pose(), from)).toBeLessThan(1e-4)
  })

  it('draw the arm towards a pose that is far away by a spring, without a jump, and reach it', async () => {
    const [x, y, z, ...q] = await pose()
    await post('pose', { arr: [x! + 0.06, y! - 0.04, z, ...q] })
    let last = [x!, y!, z!]
    for (let i = 0; i < 30; i++) {
      wait(0.02)
      const now = await pose()
      expect(apart(now, last)).toBeLessThan(0.02)
      last = now
    }
    wait(2)
    expect(apart(await pose(), [x! + 0.06, y! - 0.04, z!])).toBeLessThan(0.001)
  })

  it('bring another start state with each joint reset, the first one with the same seed again', async () => {
    const first = (await ask('truth')).truth.bolts[0].position
    await post('jointreset')
    const { truth, episode } = await ask('truth')
    expect(truth.bolts[0].position).not.toEqual(first)
    expect(episode).toBeGreaterThan(1)
  })

  it('close the gripper, and open it', async () => {
    await post('close_gripper')
    wait(1)
    expect((await ask('getstate')).gripper_pos).toBeLessThan(0.15)
    await post('open_gripper')
    wait(1)
    expect((await ask('getstate')).gripper_pos).toBeGreaterThan(0.85)
  })
})

describe('an arm that stopped by itself', () => {
  it('stays where it is, says "Moved" all the same, and goes on after clearerr from where it stands', async () => {
    serving.plant.stopByItself()
    const [x, y, z, ...q] = await pose()
    expect((await post('pose', { arr: [x! + 0.03, y, z, ...q] })).text).toBe('Moved')
    wait(0.5)
    expect(apart(await pose(), [x!, y!, z!])).toBeLessThan(1e-3)
    await post('clearerr')
    wait(0.5)
    expect(apart(await pose(), [x!, y!, z!])).toBeLessThan(1e-3)
    await post('pose', { arr: [x! + 0.03, y, z, ...q] })
    wait(1)
    expect(apart(await pose(), [x! + 0.03, y!, z!])).toBeLessThan(1e-3)
  })

  it('is one without a controller, too, until that is started', async () => {
    await post('stopimp')
    const [x, y, z, ...q] = await pose()
    await post('pose', { arr: [x! + 0.03, y, z, ...q] })
    await post('clearerr')
    wait(0.5)
    expect(apart(await pose(), [x!, y!, z!])).toBeLessThan(1e-3)
    await post('startimp')
    await post('pose', { arr: [x! + 0.03, y, z, ...q] })
    wait(1)
    expect(apart(await pose(), [x! + 0.03, y!, z!])).toBeLessThan(1e-3)
  })
})

describe('compliance', () => {
  const home = {
    position: [0.5, 0, 0.2] as [number, number, number],
    rotation: [1, 0, 0, 0] as [number, number, number, number],
  }

  it('clips the error that its spring acts on, on each side of each axis', () => {
    const compliance = new Compliance()
    compliance.update({ translational_clip_x: 0.0075, translational_clip_neg_x: 0.002, rotational_clip_z: 0.02 })
    const { position, rotation } = compliance.pull(home, {
      position: [0.6, 0, 0.2],
      rotation: [Math.cos(0.2), 0, 0, Math.sin(0.2)],
    })
    expect(position[0]).toBeCloseTo(0.5075, 9)
    expect(2 * Math.asin(rotation[3])).toBeCloseTo(0.02, 9)
    expect(compliance.pull(home, { ...home, position: [0.4, 0, 0.2] }).position[0]).toBeCloseTo(0.498, 9)
  })

  it('cuts a value down to its range, and takes all of a change or nothing', () => {
    const compliance = new Compliance()
    expect(compliance.update({ translational_stiffness: 1e9 })).toBe(true)
    expect(compliance.gains.stiffness).toBe(3000)
    expect(compliance.update({ translational_stiffness: 500, nonsense: 1 })).toBe(false)
    expect(compliance.update({ translational_stiffness: Number.NaN })).toBe(false)
    expect(compliance.gains.stiffness).toBe(3000)
  })
})

it('shows its cameras beside its routes', async () => {
  const picture = await fetch(`${serving.camerasUrl}/cameras/wrist.jpg`)
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
  expect(await (await fetch(`${serving.camerasUrl}/cameras`)).json()).toEqual({ cameras: ['front', 'wrist'] })
})

it('runs on a clock of its own once it is let: the arm moves while nobody asks', async () => {
  const [x, y, z, ...q] = await pose()
  await post('pose', { arr: [x! + 0.03, y, z, ...q] })
  serving.plant.run()
  for (let i = 0; i < 400 && apart(await pose(), [x!, y!, z!]) < 0.02; i++) await new Promise((r) => setTimeout(r, 20))
  serving.plant.pause()
  expect(apart(await pose(), [x!, y!, z!])).toBeGreaterThan(0.02)
}, 60_000)

it('keeps the truth to itself unless a test asks for it', async () => {
  const other = await serveWorkcell({
    task: 'pick',
    seed: 0,
    port: 0,
    standing: true,
    cell: { arm: 'gantry', cameras: false },
  })
  expect((await fetch(`${other.url}truth`, { method: 'POST' })).status).toBe(404)
  await other.close()
})

it('says when a port is taken', async () => {
  const port = Number(new URL(serving.url).port)
  await expect(
    serveWorkcell({ task: 'pick', seed: 0, port, standing: true, cell: { arm: 'gantry', cameras: false } }),
  ).rejects.toThrow(`port ${port}: is taken`)
})

it('says when an address is not this machine’s', async () =>
  await expect(
    serveWorkcell({
      task: 'pick',
      seed: 0,
      port: 0,
      host: '192.0.2.1',
      standing: true,
      cell: { arm: 'gantry', cameras: false },
    }),
  ).rejects.toThrow('192.0.2.1:0: cannot be opened'))

describe('for its tests', () => {
  const asked = async (path: string, body: object) => {
    const { status, text } = await post(`truth/${path}`, body)
    return { status, ...JSON.parse(text) }
  }
  const commands = async () => (await asked('commands', { since: 0 })).commands as { at: number; motion: boolean }[]

  it('lays the start of any task, and says what is not there', async () => {
    await asked('lay', { task: 'place', seed: 5 })
    const first = (await ask('truth')).truth
    await asked('lay', { task: 'pick', seed: 5 })
    await asked('lay', { task: 'place', seed: 5 })
    expect((await ask('truth')).truth).toEqual(first)
    expect(first.task).toBe('place')
    expect(await asked('fault', { name: 'rust', on: true })).toMatchObject({
      status: 400,
      error: expect.stringContaining('frozen'),
    })
  })

  it('stamps the commands that it takes, and knows one to stay from one to move', async () => {
    const before = (await commands()).length
    const here = await pose()
    const [x, y, z, ...q] = here
    await post('pose', { arr: here })
    await post('pose', { arr: [x! + 0.003, y, z, ...q] })
    await post('pose', { arr: [x! + 0.003, y, z, ...q] }) // again: it is on its way
    const told = (await commands()).slice(before)
    expect(told.map(({ motion }) => motion)).toEqual([false, true, false])
    expect(Math.abs(told[0]!.at - Date.now())).toBeLessThan(60_000)
  })

  it('loses its force as the original does: with a NaN that is no JSON', async () => {
    await asked('fault', { name: 'nan', on: true })
    expect((await post('getstate')).text).toContain('"force":[NaN,0,0]')
    await asked('fault', { name: 'nan', on: false })
    expect((await ask('getstate')).force).toHaveLength(3)
  })

  it('is silent for whoever drives it, and not for its tests', async () => {
    await asked('fault', { name: 'silent', on: true })
    const answer = fetch(`${serving.url}getpos`, { method: 'POST', signal: AbortSignal.timeout(300) })
    await expect(answer).rejects.toThrow()
    await asked('fault', { name: 'silent', on: false })
    expect(await pose()).toHaveLength(7)
  })

  it('has a camera that freezes, turns black, or stops', async () => {
    const { plant } = serving
    const wrist = async () => (await plant.pictures(-1)).wrist!
    const sound = await wrist()
    plant.faults.frozen!(true)
    expect((await wrist()).image).toBe(sound.image)
    expect((await wrist()).received).toBeGreaterThan(sound.received)
    plant.faults.black!(true)
    expect((await wrist()).image.data.every((value) => value === 0)).toBe(true)
    plant.faults.stopped!(true)
    expect(await wrist()).toBe(sound)
    plant.faults.stopped!(false)
    expect((await wrist()).image).not.toBe(sound.image)
  })
})
