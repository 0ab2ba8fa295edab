/** @file While a person lays a scene, whoever looks on sees it as it is now, and nothing is counted as a step. */
import { expect, it } from 'vitest'
import { Page } from './page.ts'
import { moving, Stage } from './stage.ts'

it('shows the cameras while it waits for a scene', async () => {
  const stage = await Stage.open({ reset: 'person' })
  const page = await Page.open(stage.server.address)
  try {
    await page.until('scene', ({ waits }) => waits, 30_000)
    const taken = () => [...new Set(page.frames.map(({ time }) => time))]
    await expect.poll(() => taken().length, { timeout: 30_000 }).toBeGreaterThan(3)
    expect(new Set(page.frames.map(({ step }) => step)).size).toBe(1)
    expect(page.last('scene')!.waits).toBe(true)
    expect(stage.executed).toEqual([]) // and it moves nothing
  } finally {
    page.close()
    await stage.close()
  }
}, 90_000)

it('asks for a scene again that was laid before a stop: whoever freed the arm may have moved it', async () => {
  const stage = await Stage.open({ reset: 'person' })
  const page = await Page.open(stage.server.address)
  try {
    await page.until('scene', ({ waits }) => waits, 30_000)
    await page.takeControl()
    page.send({ kind: 'pause' })
    await page.until('robot', ({ status }) => status === 'paused')
    page.send({ kind: 'ready' }) // it begins once the pause is over
    page.send({ kind: 'stop' })
    await page.until('robot', ({ status }) => status === 'stopped')
    page.forget()
    page.send({ kind: 'clear' })
    await page.until('robot', ({ status }) => status === 'paused')
    page.send({ kind: 'resume' })
    await page.until('scene', ({ waits }) => waits)
    await page.until('robot', ({ status }) => status === 'waiting')
    expect(stage.executed.filter(moving)).toEqual([])
    page.send({ kind: 'ready' })
    await page.until('robot', ({ status }) => status === 'moving')
  } finally {
    page.close()
    await stage.close()
  }
}, 90_000)
