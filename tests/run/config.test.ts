import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RunConfig } from '../../src/run/config.ts'
import { differences } from '../../src/run/differences.ts'
import { presets } from '../../src/run/presets.ts'
import { parseConfig, parseOverride, resolveConfig } from '../../src/run/resolve.ts'
import { describeSettings, nearestOf } from '../../src/run/settings.ts'

const configFile = (text: string) => {
  const file = join(mkdtempSync(join(tmpdir(), 'duet-config-')), 'lab.yaml')
  writeFileSync(file, text)
  return file
}

describe('the config of a run', () => {
  it("is the paper's where nobody says anything", () => {
    const { learner, warmUp, online, talk, demonstrations } = RunConfig.parse({})
    expect(learner).toMatchObject({
      batch: 256,
      learningRate: 3e-4,
      targetRate: 0.005,
      noiseGain: 0,
      conservativeWeight: 0.1,
    })
    expect(learner.taskWeight).toEqual({ c: 0.1, min: 0.8, max: 1.2 })
    expect(learner.refinement).toMatchObject({ bcWeight: 1, qWeight: 0.1, nullWeight: 0.1 })
    expect([warmUp.bcWeight, warmUp.qWeight, online.bcWeight, online.qWeight]).toEqual([1, 0.1, 0.5, 0.5])
    expect(talk).toEqual({ window: 5, threshold: 0.001 })
    expect(demonstrations.perTask).toBe(20)
  })

  it('departs from the paper in three settings under its preset, and each can be taken back', () => {
    const apart = (...settings: string[]) =>
      differences(RunConfig.parse({}), resolveConfig('paper', undefined, settings.map(parseOverride)))
    expect(apart().toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: 'learner.actorAverage', first: 1, second: 0.002 },
      { name: 'online.lockstep', first: false, second: true },
      { name: 'online.qWeight', first: 0.5, second: 0.1 },
    ])
    expect(apart('online.lockstep=false', 'online.qWeight=0.5', 'learner.actorAverage=1')).toEqual([])
  })

  it.each(Object.keys(presets) as (keyof typeof presets)[])('preset %s passes its own schema', (preset) => {
    expect(() => resolveConfig(preset)).not.toThrow()
  })

  it('lets the command line override the file, and the file the preset', () => {
    const file = configFile('learner:\n  batch: 96\n  discount: 0.9\n')
    const config = resolveConfig('tiny', file, [parseOverride('learner.discount=0.95')])
    expect(config.learner).toMatchObject({ batch: 96, discount: 0.95, noiseGain: presets.tiny.learner!.noiseGain })
  })

  it('takes the tasks that a robot is given by the config, unless something says which of them', () => {
    const tasks = '{cube: {instruction: lift the cube, maxSteps: 90}, ball: {instruction: roll the ball, maxSteps: 60}}'
    const robot = `robot: {kind: so101, port: simulated, tasks: ${tasks}}\nonline: {lockstep: false}\n`
    expect(resolveConfig('tiny', configFile(robot)).tasks).toEqual(['cube', 'ball'])
    expect(resolveConfig('quick', configFile(`${robot}tasks: [ball]\n`)).tasks).toEqual(['ball'])
    expect(resolveConfig('quick', configFile(robot), [parseOverride('tasks=[cube]')]).tasks).toEqual(['cube'])
    expect(resolveConfig('tiny').tasks).toEqual(['pick', 'assemble'])
  })

  it('leaves to a robot that can break its own time, and to one without a simulation nobody of software, unless something says so', () => {
    const task = '{cube: {instruction: lift the cube, maxSteps: 90}}'
    const safety = '{workBox: {low: [0.3, -0.2, 0.1], high: [0.7, 0.2, 0.4]}, speed: 0.15}'
    const serl = `robot: {kind: serl, startPose: [0.5, 0, 0.2, 3.14, 0, 0], cameras: {}, tasks: ${task}, safety: ${safety}}\n`
    const so101 = (port: string) => `robot: {kind: so101, port: ${port}, tasks: ${task}}\n`
    const of = (text: string, ...set: string[]) => {
      const { operator, online } = resolveConfig('quick', configFile(text), set.map(parseOverride))
      return [operator.kind, online.lockstep]
    }
    expect(of(serl)).toEqual(['none', false])
    expect(of(so101('/dev/ttyACM0'))).toEqual(['none', false])
    expect(of(so101('simulated'))).toEqual(['none', true])
    expect(of('robot: {arm: gantry}\n')).toEqual(['simulated', true])
    expect(of(serl, 'online.lockstep=true', 'operator.kind=simulated')).toEqual(['simulated', true]) // refused where it starts
  })

  it('names the nearest known setting for one it does not know', () => {
    expect(() => resolveConfig('quick', undefined, [parseOverride('learner.discout=0.9')])).toThrow(
      'unknown setting "learner.discout". Did you mean "learner.discount"?',
    )
    expect(() => resolveConfig('quick', undefined, [parseOverride('robotMinutes=3')])).toThrow('"online.robotMinutes"')
  })

  it('takes the robot for a workcell where an older config names no kind, and knows the settings of every kind', () => {
    const file = configFile('robot:\n  arm: gantry\n  cells: [A, B]\n')
    expect(resolveConfig('tiny', file).robot).toMatchObject({ kind: 'workcell', arm: 'gantry', cells: ['A', 'B'] })
    expect(() => resolveConfig('tiny', undefined, [parseOverride('robot.bolt=4')])).toThrow(
      'Did you mean "robot.bolts"?',
    )
    expect(() => resolveConfig('tiny', undefined, [parseOverride('robot.kind=toaster')])).toThrow(
      /setting "robot\.kind": there is no such kind\. Choose one of: workcell/,
    )
    expect(() => resolveConfig('tiny', undefined, [{ robot: { kind: 'replayed', log: 'x', bolts: 4 } }])).toThrow(
      'setting "robot.bolts" is one of another "robot.kind". Leave it out, or change the kind',
    )
    const names = describeSettings().map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['robot.kind', 'robot.arm', 'robot.cells']))
    expect(new Set(names).size).toBe(names.length)
  })

  it('says which setting is out of bounds, and where it stands', () => {
    const file = configFile('learner:\n  discount: 1.5\n')
    expect(() => resolveConfig('quick', file)).toThrow(/lab\.yaml: setting "learner\.discount"/)
  })

  it('says what a setting is that a robot cannot do without', () => {
    const robot = { kind: 'serl', startPose: [0.5, 0, 0.2, 3.14, 0, 0], cameras: {} }
    expect(() => parseConfig('arm.yaml', { robot })).toThrow(
      'arm.yaml: setting "robot.tasks" is missing. Give it: by name {instruction',
    )
    const tasks = { pick: { instruction: 'pick it up', maxSteps: 10 } }
    expect(() => parseConfig('arm.yaml', { robot: { ...robot, tasks } })).toThrow('"robot.safety" is missing')
  })

  it('names the line of a file that is not YAML', () => {
    expect(() => resolveConfig('quick', configFile('learner:\n  batch: [1,\n'))).toThrow(
      /lab\.yaml:\d+: is not valid YAML/,
    )
  })

  it('refuses an override without a value', () => {
    expect(() => parseOverride('learner.batch')).toThrow('Write e.g. --set learner.batch=128')
  })

  it('describes every setting', () => {
    const undescribed = describeSettings().filter(({ text }) => text === '')
    expect(undescribed.map(({ name }) => name)).toEqual([])
  })
})

describe('nearestOf', () => {
  it('prefers the same last word under another parent', () =>
    expect(nearestOf('batch', ['learner.batch', 'bath', 'tasks'])).not.toBe('tasks'))
})

describe('a config file', () => {
  it.each([
    ['- learner:\n    batch: 3\n', 'holds a list'],
    ['learner\n', 'holds a single value ("learner")'],
    ['42\n', 'holds a single value (42)'],
    ['[1, 2]', 'holds a list'],
  ])('whose content has no names, %j, is refused', (text, message) => {
    expect(() => resolveConfig('tiny', configFile(text))).toThrow(message)
  })

  it.each(['', '# nothing yet\n', '---\n', '{}'])('that is empty, %j, changes nothing', (text) => {
    expect(resolveConfig('tiny', configFile(text))).toEqual(resolveConfig('tiny'))
  })

  it('that is a folder, or a value that is not YAML, is told so', () => {
    expect(() => resolveConfig('tiny', tmpdir())).toThrow('cannot be read')
    expect(() => parseOverride('tasks=[pick')).toThrow('--set tasks=[pick: has a value that is not YAML')
  })
})
