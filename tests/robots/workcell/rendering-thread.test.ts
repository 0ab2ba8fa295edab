/** @file Pictures of the served workcell come from a thread of their own: which ones, in which order, and what waits for them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SceneState } from '../../../src/robots/workcell/render/scene-renderer.ts'
import { RenderingThread } from '../../../src/robots/workcell/serve/rendering-thread.ts'
import { type SerlServer, serveWorkcell } from '../../../src/robots/workcell/serve/server.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'

describe('a thread of pictures', () => {
  let cell: Workcell
  let thread: RenderingThread
  beforeAll(async () => {
    cell = await Workcell.create({ arm: 'gantry', bolts: 4, frontHidden: 0.5 })
    thread = new RenderingThread()
  })
  afterAll(() => {
    thread.close()
    cell.free()
  })

  it('renders a state as the thread of the physics does, to the last byte, whichever scene was rendered before', async () => {
    const pending = ['pick', 'slide', 'place', 'assemble', 'slide', 'pick'].map((task, seed) => {
      const { images } = cell.resetSync(task, seed)
      const rendered = thread.render(cell.sceneState()!, seed)
      for (let i = 0; i < 3; i++) cell.stepSync(Float32Array.of(1, -1, 1, 0, 0, 0, 1)) // on its way it is the present no more
      return { images, rendered }
    })
    const seen = new Set<string>()
    for (const { images, rendered } of pending) {
      const pictures = await rendered
      expect(Object.keys(pictures)).toEqual(['front', 'wrist'])
      for (const [name, { width, height, data }] of Object.entries(images)) {
        expect(pictures[name]).toMatchObject({ width, height })
        expect(Buffer.compare(pictures[name]!.data, data)).toBe(0)
        seen.add(Buffer.from(data).toString('base64'))
      }
    }
    expect(seen.size).toBe(12)
  })
})

describe('a served workcell', () => {
  let serving: SerlServer
  const troubles: string[] = []
  beforeAll(async () => {
    serving = await serveWorkcell({
      ...{ task: 'pick', seed: 1, port: 0, standing: true, fps: 100, cell: { arm: 'gantry' } },
      onTrouble: (line) => troubles.push(line),
    })
  })
  afterAll(() => serving.close())
  const state = () => fetch(`${serving.url}getstate`, { method: 'POST' }).then((response) => response.json())

  it('answers while a picture is being made, and shows the state in which it was asked for', async () => {
    const { plant } = serving
    await plant.pictures(0)
    const { images } = plant.cell.observeSync()
    const crowd = Array.from({ length: 60 }, () => plant.eyes!.render(plant.cell.sceneState()!, 0))
    let made = false
    const pictures = plant.pictures(-1).finally(() => {
      made = true
    })
    plant.reset() // another scene
    expect(await state()).toHaveProperty('pose')
    expect(made).toBe(false)
    const later = plant.pictures(-1) // does not overtake it
    const { front, wrist } = await pictures
    expect(await later).toEqual({ front, wrist })
    for (const [name, { image }] of Object.entries({ front: front!, wrist: wrist! }))
      expect(Buffer.compare(image.data, images[name]!.data)).toBe(0)
    await Promise.all(crowd)
    const next = (await plant.pictures(-1)).front!
    expect(next.received).toBeGreaterThan(front!.received)
    expect(Buffer.compare(next.image.data, plant.cell.observeSync().images.front!.data)).toBe(0)
  })

  it('whose thread of pictures dies says so in one line, and its cameras stop while its arm does not', async () => {
    const { plant, camerasUrl } = serving
    const leave = new AbortController()
    const stream = await fetch(`${camerasUrl}/cameras/front.mjpg`, { signal: leave.signal })
    const reader = stream.body!.getReader()
    await reader.read()
    const last = plant.eyes!.render({} as SceneState, 0) // it cannot
    await expect(last).rejects.toThrow('the thread of pictures: is no more')
    const { front } = await plant.pictures(-1)
    expect((await plant.pictures(-1)).front).toBe(front)
    expect(await state()).toHaveProperty('pose')
    expect(troubles).toEqual([expect.stringContaining('the thread of pictures: is no more')])
    const rest = async () => {
      while (!(await reader.read()).done);
      return 'ended'
    }
    const quiet = new Promise((resolve) => setTimeout(resolve, 300, 'quiet'))
    expect(await Promise.race([rest(), quiet])).toBe('quiet')
    leave.abort()
  })
})
