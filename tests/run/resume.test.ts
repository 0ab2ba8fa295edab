import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RunFolder } from '../../src/run/folder.ts'
import { partNow } from '../../src/run/history.ts'
import type { PresetName } from '../../src/run/presets.ts'
import { mergeSettings, parseOverride, resolveConfig } from '../../src/run/resolve.ts'
import { describeChange, presetInFull, resumeConfig, resumeListener } from '../../src/run/resume.ts'
import { describeSettings, mayChange, settingNames } from '../../src/run/settings.ts'
import { duetVersion } from '../../src/run/version.ts'

const config = resolveConfig('tiny')
const resumed = (...overrides: string[]) =>
  resumeConfig('runs/x', config, mergeSettings(...overrides.map(parseOverride)))
const aRun = () => RunFolder.create(join(mkdtempSync(join(tmpdir(), 'duet-resume-')), 'x'), config, 'duet train')

describe('settings given to a resumed run', () => {
  it('that may change are taken, and told with old and new value', () => {
    const { config: now, changes } = resumed('online.robotMinutes=2', 'evaluation.trials=5', 'vlaPath=/weights')
    expect(now).toEqual({
      ...config,
      vlaPath: '/weights',
      online: { ...config.online, robotMinutes: 2 },
      evaluation: { ...config.evaluation, trials: 5 },
    })
    expect(changes.map(describeChange)).toEqual([
      'online.robotMinutes: 0.5 -> 2',
      'evaluation.trials: 2 -> 5',
      'vlaPath: none -> "/weights"',
    ])
  })

  it('that a run keeps are refused, all by name, with what they are and what was asked for', () => {
    expect(() => resumed('learner.batch=64', 'seed=3', 'online.robotMinutes=2', 'tasks=[pick]')).toThrow(
      'a resumed run keeps learner.batch 32, not 64; seed 0, not 3; tasks ["pick","assemble"], not ["pick"]',
    )
    expect(() => resumed('online.lockstep=false')).toThrow('online.lockstep true, not false')
    expect(() => resumed('robot.cells=[A,B]')).toThrow('robot.cells ["A"], not ["A","B"]')
    expect(() => resumed('learner={batch: 64}')).toThrow('learner.batch 32, not 64')
    expect(() => resumed('vlaCameras.camera1=wrist')).toThrow('vlaCameras.camera1 none, not "wrist"')
  })

  it('that the run has already are no change, whatever class they are of', () => {
    expect(resumed('learner.batch=32', 'seed=0', 'online.robotMinutes=0.5')).toEqual({ config, changes: [] })
  })

  it('that the run has in another notation are no change: numbers, nested settings, lists, null for none', () => {
    const same = ['learner={batch: 3.2e1, refinement: {batch: 0x10}}', 'seed=0.0', 'online.robotMinutes=.5', 'robot={}']
    const none = ['vlaLayer=null', 't5Path=', 'vlaPath=~', 'demonstrations.path=null']
    expect(resumed(...same, 'tasks=["pick", assemble]', ...none)).toEqual({ config, changes: [] })
    expect(() => resumed('seed=null')).toThrow('seed 0, not null')
    expect(() => resumed('tasks=null')).toThrow('tasks ["pick","assemble"], not null')
    expect(() => resumed('tasks=[assemble, pick]')).toThrow('not ["assemble","pick"]')
    expect(() => resumed('vlaCameras.camera1=null')).toThrow('vlaCameras.camera1 none, not null')
  })

  it('null takes an optional one away again', () => {
    const { config: lent } = resumed('vlaPath=/weights')
    const { config: now, changes } = resumeConfig('runs/x', lent, parseOverride('vlaPath=null'))
    expect(now).toEqual(config)
    expect(changes.map(describeChange)).toEqual(['vlaPath: "/weights" -> none'])
  })

  it('a preset asks for all in which presets differ, also where it says nothing itself', () => {
    const asked = (preset: PresetName) => resumeConfig('runs/x', config, presetInFull(preset))
    expect(asked('tiny').changes).toEqual([])
    expect(() => asked('quick')).toThrow('warmUp.updates 60, not 1000')
    expect(() => asked('paper')).toThrow('tasks ["pick","assemble"], not ["place","pick","assemble"]')
  })

  it('a preset gives way, as at the start of a run, to what the robot asks for', () => {
    const arm = { kind: 'so101', port: '/dev/ttyACM0', tasks: { cube: { instruction: 'lift the cube', maxSteps: 90 } } }
    const before = resolveConfig('quick', undefined, [{ robot: arm }])
    const { robot } = before
    expect(resumeConfig('runs/x', before, presetInFull('quick', { robot })).changes).toEqual([])
    expect(() => resumeConfig('runs/x', before, presetInFull('quick', { robot, tasks: ['ball'] }))).toThrow(
      'not ["ball"]',
    )
  })

  it('that no object may have, or that stand as one name, are refused instead of being lost', () => {
    expect(() => resumed('__proto__.seed=1')).toThrow('__proto__: is no setting')
    expect(() => resumeConfig('runs/x', config, { 'online.robotMinutes': 2 })).toThrow(
      'Write "online:" and below it "  robotMinutes: ..."',
    )
  })

  it('that are unknown or out of bounds are named as ever', () => {
    expect(() => resumed('online.robotMinute=3')).toThrow('Did you mean "online.robotMinutes"?')
    expect(() => resumed('online.robotMinutes=-3')).toThrow('setting "online.robotMinutes"')
    expect(() => resumed('evaluation=4')).toThrow('setting "evaluation"')
  })
})

describe('every setting', () => {
  it.each(settingNames())('says whether a resume may change it, itself or by its group: %s', (name) => {
    expect(mayChange(name)).toBeTypeOf('boolean')
  })

  it('that says where, how long or how often may change; what was learned with may not', () => {
    const names = describeSettings().filter((setting) => setting.mayChange)
    expect(names.map(({ name }) => name).sort()).toEqual([
      'checkpointEveryRobotMinutes',
      'demonstrations.path',
      'device',
      'evaluation.everyRobotMinutes',
      'evaluation.threads',
      'evaluation.trials',
      'evaluation.trialsOnTheWay',
      'keepCheckpoints',
      'online.pace',
      'online.robotMinutes',
      'operator.kind',
      'operator.speaks',
      'operator.strength',
      'plan.names',
      'plan.patience',
      'plan.server',
      'plan.steps',
      'replay.capacity',
      'resnetPath',
      'vlaPath',
    ])
  })
})

describe('the history of a run', () => {
  it('begins with the version that made it, and goes on with each resume and what that changed', () => {
    const folder = aRun()
    expect(folder.parts()).toMatchObject([{ duet: duetVersion(), command: 'duet train' }])
    const now = resumeConfig(folder.path, config, { online: { robotMinutes: 3 } })
    expect(RunFolder.open(folder.path).config).toEqual(config) // a start that fails has changed nothing
    resumeListener(folder, now.changes, 'duet train --resume x').started!({ config: now.config } as never)
    expect(RunFolder.open(folder.path).config.online.robotMinutes).toBe(3)
    expect(folder.parts()[1]).toMatchObject({
      command: 'duet train --resume x',
      changed: [{ name: 'online.robotMinutes', from: 0.5, to: 3 }],
    })
  })

  it('leaves a config that nothing changed as somebody may have edited it', () => {
    const folder = aRun()
    const edited = `# my run\n${readFileSync(folder.config, 'utf8')}`
    writeFileSync(folder.config, edited)
    folder.goOn(config, partNow())
    expect(readFileSync(folder.config, 'utf8')).toBe(edited)
  })

  it('of another format is refused, and so is one that is damaged', () => {
    const folder = aRun()
    writeFileSync(folder.history, JSON.stringify({ format: 9, runs: [] }))
    expect(() => RunFolder.open(folder.path)).toThrow('is of format 9, this is Duet')
    writeFileSync(folder.history, '')
    expect(() => RunFolder.open(folder.path)).toThrow('history.json: is not what was saved')
  })
})

describe('the folder of a run', () => {
  it('is refused where its settings are lost, instead of going on with the defaults', () => {
    const folder = aRun()
    writeFileSync(folder.config, '')
    expect(() => RunFolder.open(folder.path)).toThrow('config.yaml: is empty')
  })

  it('gives its name free where nothing was recorded, and keeps the files of others', () => {
    const folder = aRun()
    folder.removeUnused()
    expect(() => RunFolder.create(folder.path, config)).not.toThrow()
    writeFileSync(join(folder.path, 'notes.txt'), 'mine')
    folder.removeUnused()
    expect(readFileSync(join(folder.path, 'notes.txt'), 'utf8')).toBe('mine')
    const used = RunFolder.create(folder.path, config)
    expect(used.isUnused).toBe(true) // nothing to go on from
    mkdirSync(used.log)
    expect(used.isUnused).toBe(false)
    used.removeUnused()
    expect(() => RunFolder.create(used.path, config)).toThrow('already holds a run')
  })

  it('is kept where somebody else’s demonstrations were encoded in it: that may have taken hours', () => {
    const folder = aRun()
    mkdirSync(join(folder.encodings, '0'), { recursive: true })
    folder.removeUnused()
    expect(RunFolder.open(folder.path).config).toEqual(config)
  })
})
