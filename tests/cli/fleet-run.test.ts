/** @file What a fleet is opened with: settings over a preset, as `duet train` resolves them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { fleetRun } from '../../src/cli/fleet-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-fleet-run-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('opens a fleet of robots that are given their tasks by a config with those, and with them again', () => {
  const file = join(folder, 'lab.yaml')
  const tasks = '{cube: {instruction: lift the cube, maxSteps: 90}}'
  writeFileSync(file, `robot: {kind: so101, port: simulated, tasks: ${tasks}}\n`)
  const path = join(folder, 'arms')
  const said: string[] = []
  const open = (...set: string[]) => fleetRun(path, { config: file, set }, (line) => said.push(line)).config
  expect(open().tasks).toEqual(['cube']) // not those of the preset, which are the workcell's
  const again = open('online.robotMinutes=7')
  expect([again.tasks, again.online.lockstep, again.online.robotMinutes]).toEqual([['cube'], false, 7])
  expect(said).toEqual([expect.stringMatching(/^online\.robotMinutes/)])
})

it('takes a preset again that it was begun with, beside a config with the robot’s tasks', () => {
  const file = join(folder, 'lab.yaml')
  const path = join(folder, 'preset')
  const open = () => fleetRun(path, { preset: 'quick', config: file, set: [] }, () => {})
  expect(open().config).toMatchObject({ tasks: ['cube'], operator: { kind: 'none' } })
  expect(open().changes).toEqual([])
})

it('keeps the command that began it, but for what opens its console', () => {
  const { argv } = process
  process.argv = ['node', 'duet', 'learner', 'secret', '--console', '--token', 'sixteen-letters-or-more']
  onTestFinished(() => void (process.argv = argv))
  const { command, history } = fleetRun(join(folder, 'secret'), { preset: 'tiny', set: [] }, () => {}).folder
  for (const file of [command, history])
    expect(readFileSync(file, 'utf8')).toContain('duet learner secret --console --token ...')
})
