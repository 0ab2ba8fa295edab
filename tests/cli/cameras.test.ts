/** @file `duet cameras` on cameras without hardware. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, expect, it } from 'vitest'
import { duetHere } from './here.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-cameras-'))
afterAll(() => rmSync(folder, { recursive: true }))
const bin = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const duet = (...args: string[]) => spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' })

it('takes a picture of each camera of a config, measures it, and names the one that fails', async () => {
  const camera = 'width: 40, height: 30, capture: { width: 160, height: 120, fps: 20 }'
  writeFileSync(
    join(folder, 'arm.yaml'),
    `robot:\n  cameras:\n    front: { kind: test, ${camera}, rotate: 90 }\n    side: { kind: file, path: gone.mp4, ${camera} }\n`,
  )
  const { status, stdout } = duet('cameras', 'arm.yaml', '--out', 'pictures', '--seconds', '1', '--json')
  const { cameras } = JSON.parse(stdout)
  expect(cameras[0]).toMatchObject({
    camera: 'front',
    capture: { width: 160, height: 120 },
    image: { width: 40, height: 30 },
  })
  expect(cameras[0].rate).toBeGreaterThan(0)
  expect(cameras[0].rate).toBeLessThan(30)
  expect(cameras[0].age.largest).toBeGreaterThanOrEqual(cameras[0].age.median)
  expect(cameras[1]).toMatchObject({ camera: 'side', error: { where: 'cameras.side.path' } })
  expect(status).toBe(2)
  const sizes = await Promise.all(
    ['front.jpg', 'front.png'].map(async (name) => {
      const { format, width, height } = await sharp(readFileSync(join(folder, 'pictures', name))).metadata()
      return [format, width, height]
    }),
  )
  expect(sizes).toEqual([
    ['jpeg', 160, 120],
    ['png', 40, 30],
  ])
}, 120_000)

it('says what is wrong with a config in one line', async () => {
  const path = join(folder, 'bad.yaml')
  writeFileSync(path, 'cameras:\n  front: { kind: webcam, width: 8, height: 8 }\n')
  const bad = await duetHere('cameras', path)
  expect([bad.status, bad.stderr]).toEqual([
    2,
    `${path}: cameras.front.kind: is no kind of camera. Choose one of: usb, mjpeg, file, test, ros\n`,
  ])
}, 120_000)

it('says when a config has no cameras', async () => {
  const path = join(folder, 'none.yaml')
  writeFileSync(path, 'seed: 1\n')
  expect((await duetHere('cameras', path)).stderr).toContain('none.yaml: has no cameras')
}, 120_000)
