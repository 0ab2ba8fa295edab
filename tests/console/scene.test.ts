/** @file While a person lays a scene, whoever looks on sees it as it is now, and nothing is counted as a step. */
import { expect, it } from 'vitest'
import { Page } from './page.ts'
import { Stage } from './stage.ts'

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
