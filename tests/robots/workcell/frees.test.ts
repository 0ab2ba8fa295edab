/** @file Who compiles a MuJoCo model frees it: everything that a workcell holds in WASM memory is gone with it. */
import { expect, it, vi } from 'vitest'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'

type Handle = { isDeleted(): boolean }
const held = vi.hoisted(() => ({ models: [] as Handle[], datas: [] as Handle[], buffers: [] as Handle[] }))

/** MuJoCo as it is, with every model, data and buffer that is made written down. */
vi.mock('@mujoco/mujoco', async (importOriginal) => {
  const { default: load } = await importOriginal<typeof import('@mujoco/mujoco')>()
  const note = (list: Handle[], made: unknown) => {
    list.push(made as Handle)
    return made as object
  }
  const noting = <T extends object>(what: T, list: Handle[]): T =>
    new Proxy(what, {
      construct: (target, all) => note(list, Reflect.construct(target as never, all)),
      apply: (target, self, all) => note(list, Reflect.apply(target as never, self, all)),
    })
  return {
    default: async () => {
      const mujoco = await load()
      mujoco.MjModel.from_xml_string = noting(mujoco.MjModel.from_xml_string, held.models)
      mujoco.MjData = noting(mujoco.MjData, held.datas)
      mujoco.DoubleBuffer = noting(mujoco.DoubleBuffer, held.buffers)
      return mujoco
    },
  }
})

it.each([
  ['the scene of the bolts', ['pick'], 1],
  ['the scene of the slide as well, once it was wanted', ['pick', 'slide', 'place'], 2],
])('a workcell frees %s', async (_, tasks, scenes) => {
  for (const list of Object.values(held)) list.length = 0
  const cell = await Workcell.create({ arm: 'gantry', cameras: false })
  for (const task of tasks) await cell.reset(task, 1)
  const all = () => Object.values(held).flat()
  expect([held.models.length, held.datas.length, held.buffers.length]).toEqual([scenes, scenes, scenes])
  expect(all().some((handle) => handle.isDeleted())).toBe(false)
  cell.free()
  expect(all().every((handle) => handle.isDeleted())).toBe(true)
})
