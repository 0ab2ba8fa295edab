/** @file Where the console believes the cameras and the tool to be, against the simulator's own figures. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ProprioReader } from '../../src/console/server/pose.ts'
import { frontCamera, wristCamera } from '../../src/robots/workcell/appearance.ts'
import { workcellCameras } from '../../src/robots/workcell/mounts.ts'
import { CELL_OPTIONS } from '../../src/robots/workcell/options.ts'
import { fromMatrix, multiply, toWorld } from '../../src/robots/workcell/spatial.ts'
import type { Quat } from '../../src/robots/workcell/truth.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'

/** q and -q are the same rotation. */
const alike = (a: Quat, b: Quat) => Math.abs(a.reduce((sum, x, i) => sum + x * b[i]!, 0))

describe.each(['A', 'B'] as const)('the cameras of cell %s', (name) => {
  let cell: Workcell
  beforeAll(async () => {
    cell = await Workcell.create(CELL_OPTIONS[name])
    await cell.reset('pick', 3)
    for (let t = 0; t < 12; t++) await cell.step(Float32Array.of(0.5, -0.7, 0.4, 0.6, -0.5, 0.8, 0))
  })
  afterAll(() => cell.free())

  it('are where the renderer has them, with the tool tilted and turned', async () => {
    const { proprio } = await cell.observe()
    const tool = new ProprioReader(cell.spec).tcp(proprio)!
    const truth = cell.truth().tcp
    for (let i = 0; i < 3; i++) expect(tool.position[i]).toBeCloseTo(truth.position[i]!, 6)
    expect(alike(tool.rotation as unknown as Quat, truth.rotation)).toBeCloseTo(1, 9)
    const { front, wrist } = workcellCameras(cell.options)
    const rendered = { front: frontCamera(cell.options.frontCamera), wrist: wristCamera(cell.world.hand()) }
    const wristPosition = toWorld(truth, wrist.position)
    for (let i = 0; i < 3; i++) {
      expect(front.position[i]).toBeCloseTo(rendered.front.position[i]!, 9)
      expect(wristPosition[i]).toBeCloseTo(rendered.wrist.position[i]!, 9)
    }
    expect(alike(front.rotation, fromMatrix(rendered.front.rotation))).toBeCloseTo(1, 9)
    expect(alike(multiply(truth.rotation, wrist.rotation), fromMatrix(rendered.wrist.rotation))).toBeCloseTo(1, 9)
    expect([front.fovy, wrist.fovy]).toEqual([rendered.front.fovy, rendered.wrist.fovy])
  })
})
