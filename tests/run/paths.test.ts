/** @file Paths among the settings keep their meaning when a run is resumed from elsewhere. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { absolutePaths } from '../../src/run/paths.ts'
import { resolveConfig } from '../../src/run/resolve.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'duet-paths-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('in a config file are seen from its folder', () => {
  mkdirSync(join(folder, 'lab'))
  const file = join(folder, 'lab', 'lab.yaml')
  writeFileSync(file, 'vla: smolvla\nvlaPath: ../weights\ndemonstrations: {path: /data/demos, perTask: 3}\n')
  const config = resolveConfig('tiny', file)
  expect(config.vlaPath).toBe(join(folder, 'weights'))
  expect(config.demonstrations).toMatchObject({ path: '/data/demos', perTask: 3 })
})

it('of options are seen from the working directory; other settings and names of models stay', () => {
  const given = {
    demonstrations: { path: 'demos' },
    t5Path: 't5-base',
    resnetPath: 'resnet10',
    tasks: ['pick'],
    seed: 3,
  }
  expect(absolutePaths(given, '/home/me')).toEqual({ ...given, demonstrations: { path: '/home/me/demos' } })
  expect(given.demonstrations.path).toBe('demos')
  mkdirSync(join(folder, 'resnet10'))
  expect(absolutePaths({ resnetPath: 'resnet10' }, folder)).toEqual({ resnetPath: join(folder, 'resnet10') })
})

it('of an SO-101’s calibrations and ports are told from ids, devices and numbers', () => {
  const robot = {
    kind: 'so101',
    arm: 'left.json',
    port: './left',
    leader: { arm: 'cal/leader.json', port: '../leader' },
  }
  expect(absolutePaths({ robot }, '/home/me')).toEqual({
    robot: {
      ...{ kind: 'so101', arm: '/home/me/left.json', port: '/home/me/left' },
      leader: { arm: '/home/me/cal/leader.json', port: '/home/leader' },
    },
  })
  for (const port of ['/dev/ttyACM0', 'COM3', 'serial:5A46083151', 'simulated']) {
    const same = { robot: { arm: 'left', port, leader: { arm: 'left_leader', port } } }
    expect(absolutePaths(same, '/home/me')).toEqual(same)
  }
  const none = { robot: { arm: 'gantry', leader: null } }
  expect(absolutePaths(none, '/home/me')).toEqual(none)
})

it.each([[null], [{}], [{ demonstrations: null }], [{ vlaPath: 3 }], ['text']])(
  'leave %j to the schema',
  (settings) => {
    expect(absolutePaths(settings, '/home/me')).toEqual(settings)
  },
)
