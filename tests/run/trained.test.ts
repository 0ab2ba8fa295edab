/** @file A trained policy that cannot be opened lets go of the robot that it was to act in. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { RunFolder } from '../../src/run/folder.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import { openTrained } from '../../src/run/trained.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-trained-'))
const before = process.env.DUET_STATE
process.env.DUET_STATE = folder
afterAll(() => {
  if (before === undefined) delete process.env.DUET_STATE
  else process.env.DUET_STATE = before
  rmSync(folder, { recursive: true })
})

/** A driver that says in `global.told` what is done with its robot. */
const ARM = `
  const size = { width: 96, height: 96 }
  exports.driver = {
    reset: 'itself',
    describe: () => ({
      name: 'an arm', rate: 10, cameras: { front: size, wrist: size }, tasks: { reach: { instruction: 'reach', maxSteps: 5 } },
      channels: ['x', 'y', 'z'].map((axis) => ({ name: 'tcp.' + axis, unit: 'm', role: 'position.' + axis })),
      actionFrame: 'base', actionScale: { translation: 0.02, rotation: 0.1 },
    }),
    async open() {
      global.told = ['open']
      const told = (what) => async () => void global.told.push(what)
      return { reset: told('reset'), observe: told('observe'), step: told('step'), stop: told('stop'), close: told('close') }
    },
  }
`

it('of a run whose checkpoint is damaged', async () => {
  const module = join(folder, 'arm.cjs')
  writeFileSync(module, ARM)
  const safety = { workBox: { low: [0.3, -0.1, 0.1], high: [0.5, 0.1, 0.3] }, speed: 0.25 }
  const robot = { kind: 'driver', module, safety }
  const run = RunFolder.create(join(folder, 'run'), resolveConfig('tiny', undefined, [{ tasks: ['reach'], robot }]))
  const checkpoint = join(run.checkpoints, 'step-00000001-update-00000001')
  mkdirSync(checkpoint, { recursive: true })
  writeFileSync(join(checkpoint, 'policy.safetensors'), 'half a file')
  await expect(openTrained(run.path)).rejects.toThrow('policy.safetensors')
  const { told } = globalThis as { told?: string[] }
  expect([...new Set(told)]).toEqual(['open', 'stop', 'close'])
})
