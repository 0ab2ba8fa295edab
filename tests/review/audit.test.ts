import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EpisodeLog } from '../../src/replay/log.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import {
  agreement,
  bestThreshold,
  rate,
  sweepThresholds,
  weightedByFrequency,
} from '../../src/review/audit/agreement.ts'
import { type AuditAnswer, judgeAnswers, readAnswers } from '../../src/review/audit/answers.ts'
import { auditAnswers, auditLabels, thresholdsOf } from '../../src/review/audit/audit.ts'
import { intentionOf } from '../../src/review/audit/intention.ts'
import { renderAudit } from '../../src/review/audit/page.ts'
import { correctionsOf, drawEvenly, type Triplet } from '../../src/review/audit/triplets.ts'
import { project } from '../../src/robot/projection.ts'
import type { CameraMount } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { demonstrator } from '../../src/robots/workcell/demonstrator.ts'
import { SimulatedOperator } from '../../src/robots/workcell/operator/operator.ts'
import { DEFAULT_OPERATOR } from '../../src/robots/workcell/operator/options.ts'
import { lookAt } from '../../src/robots/workcell/render/scene.ts'
import { simulationOf } from '../../src/robots/workcell/rig.ts'
import { fromMatrix } from '../../src/robots/workcell/spatial.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { translatorSettings } from '../../src/run/label-rule.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import type { Label } from '../../src/talk/labels.ts'
import { openTranslator } from '../../src/talk/translator.ts'
import type { Direction } from '../../src/talk/vocabulary.ts'
import { allCommands } from '../../src/talk/vocabulary.ts'

const said = (...direction: Direction) => direction

describe('agreement', () => {
  const judged = [
    { said: said(1, 0, 0), meant: said(1, 0, 0), group: 'a' },
    { said: said(1, 0, 0), meant: said(1, 1, 0), group: 'a' },
    { said: said(0, -1, 0), meant: said(0, 1, 0), group: 'b' },
    { said: said(0, 0, 0), meant: said(0, 0, -1), group: 'c' },
  ]
  const found = agreement(judged)

  it('counts exact labels, axes, spoken axes and opposites, by hand', () => {
    expect([found.exact.agree, found.exact.of]).toEqual([1, 4])
    expect([found.axes.agree, found.axes.of]).toEqual([9, 12])
    expect([found.axis.x.agree, found.axis.y.agree, found.axis.z.agree]).toEqual([4, 2, 3])
    expect([found.spoken.agree, found.spoken.of]).toEqual([2, 3])
    expect(found.opposed).toBe(1)
  })
  it('splits by what was said', () =>
    expect(Object.entries(found.byCommand).map(([name, { agree, of }]) => [name, agree, of])).toEqual([
      ['move forward', 1, 2],
      ['move right', 0, 1],
      ['[null]', 0, 1],
    ]))
  it('gives shares the interval over groups: twenty interventions of five labels each say less than a hundred labels', () => {
    const cases = (perGroup: number) =>
      Array.from({ length: 100 }, (_, i) => ({ holds: i < 80, group: String(Math.floor(i / perGroup)) }))
    const [alone, together] = [rate(cases(1), ({ holds }) => holds), rate(cases(5), ({ holds }) => holds)]
    expect([alone.share, together.share]).toEqual([0.8, 0.8])
    expect(alone.interval[0]).toBeCloseTo(0.71, 2)
    expect(together.interval[0]).toBeCloseTo(0.57, 2)
    expect(found.exact.interval[1] - found.exact.interval[0]).toBeGreaterThan(0.8)
  })
  it('weighs commands by how often the log says them: (0.5 · 10 + 0 · 30 + 0 · 10) / 50', () =>
    expect(
      weightedByFrequency(found, { 'move forward': 10, 'move right': 30, '[null]': 10, 'move up': 99 }),
    ).toBeCloseTo(0.1, 12))
})

describe('other thresholds', () => {
  // pushed 3 mm where nothing was meant, 6 mm where forward was meant
  const judged = [
    { delta: [0.003, 0, 0] as const, meant: said(0, 0, 0) },
    { delta: [0.006, 0, 0] as const, meant: said(1, 0, 0) },
  ]
  const sweep = sweepThresholds(judged, 1e-8, [0.001, 0.004, 0.01])

  it('are tried against a truth that stays, so that silence cannot win', () => {
    expect(sweep.map(({ exact }) => exact)).toEqual([0.5, 1, 0.5])
    expect(sweep.map(({ null: silent }) => silent)).toEqual([0, 0.5, 1])
  })
  it('suggest the one that agrees most, of equals the smallest', () => {
    expect(bestThreshold(sweep).threshold).toBe(0.004)
    expect(bestThreshold([sweep[0]!, sweep[2]!]).threshold).toBe(0.001)
  })
})

describe('drawing', () => {
  const pile = (command: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ key: `${command}${i}`, label: { command } as Label }))
  const corrections = [...pile('a', 50), ...pile('b', 3), ...pile('c', 20)]
  const counted = (drawn: typeof corrections) =>
    ['a', 'b', 'c'].map((c) => drawn.filter(({ label }) => label.command === c).length)

  it('is even over the commands, as far as they go', () => {
    expect(counted(drawEvenly(corrections, 9, 1))).toEqual([3, 3, 3])
    expect(counted(drawEvenly(corrections, 21, 1))).toEqual([9, 3, 9])
    expect(counted(drawEvenly(corrections, 500, 1))).toEqual([50, 3, 20])
  })
  it('repeats nothing, and is fixed by its seed', () => {
    const keys = (seed: number) => drawEvenly(corrections, 30, seed).map(({ key }) => key)
    expect(new Set(keys(1)).size).toBe(30)
    expect(keys(1)).toEqual(keys(1))
    expect(keys(1)).not.toEqual(keys(2))
  })
})

describe('the page', () => {
  const grey = { width: 128, height: 128, data: new Uint8Array(3 * 128 * 128).fill(90) }
  const triplet: Triplet = {
    key: 'A/3/7',
    cell: 'A',
    episode: 3,
    task: '<img src=x onerror=alert(1)>',
    step: 7,
    label: { command: 'move left', window: 5, delta: [0, 0.02, 0], direction: [0, 1, 0] },
    moved: [0, 0.01, 0],
    before: { front: grey, wrist: grey },
    after: { front: grey, wrist: grey },
    tcp: { before: [0.5, 0, 0.1], after: [0.5, 0.01, 0.1] },
  }
  const pose: CameraMount = {
    mount: 'base',
    position: [1.05, 0, 0.4],
    rotation: fromMatrix(lookAt([1.05, 0, 0.4], [0.5, 0, 0.07])),
    fovy: 0.628,
  }
  const html = renderAudit({
    run: '</script><b>run',
    seed: 0,
    window: 5,
    threshold: 0.001,
    commands: allCommands(),
    triplets: [triplet],
    camera: { name: 'front', poses: { A: pose } },
  })

  it('loads nothing from elsewhere', () => {
    const sources = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, source]) => source!)
    expect(sources.length).toBe(4)
    for (const source of sources) expect(source).toMatch(/^data:image\/png;base64,/)
    expect(html).not.toMatch(/@import|url\(|fetch\(|https?:(?!\/\/www\.w3\.org)/)
  })
  it('escapes what comes from the run, in markup and in scripts', () => {
    expect(html).not.toContain('<img src=x')
    expect(html).not.toContain('</script><b>')
    const facts = /<script type="application\/json" id="facts">(.*?)<\/script>/s.exec(html)![1]!
    expect(JSON.parse(facts)).toMatchObject({ run: '</script><b>run', threshold: 0.001, window: 5 })
  })
  it('offers all 27 commands, and the three answers', () => {
    expect(html.match(/<option /g)).toHaveLength(27)
    for (const answer of ['yes', 'no', 'edit']) expect(html).toContain(`data-answer="${answer}"`)
  })
  it('projects as the renderer does: the target in the middle, left of the robot on the right of the picture', () => {
    const [x, y] = project(pose, 128, 128, [0.5, 0, 0.07]).pixel
    expect(x).toBeCloseTo(64, 6)
    expect(y).toBeCloseTo(64, 6)
    // 10 mm to the left at 0.6414 m from the camera: 0.01 · 64 / tan(0.314) / 0.6414 = 3.07 pixels
    expect(project(pose, 128, 128, [0.5, 0.01, 0.07]).pixel[0] - 64).toBeCloseTo(3.07, 2)
    expect(project(pose, 128, 128, [0.5, 0, 0.1]).pixel[1]).toBeLessThan(64)
  })
})

describe('a threshold that answers suggest', () => {
  const rule = { threshold: 0.001, tie: 1e-6 }
  const by = (yes: number, no: number, ...edits: number[]) => {
    const cases = [...Array(yes).fill(true), ...Array(no + edits.length).fill(false)]
    const agreed = rate(
      cases.map((agrees, i) => ({ agrees, group: String(i) })),
      ({ agrees }) => agrees,
    )
    const up = (metres: number, z: number) => ({
      delta: [0, 0, metres] as const,
      meant: [0, 0, z] as [number, number, number],
    })
    const meant = [...Array(yes).fill(up(0.02, 1)), ...edits.map((metres) => up(metres, 0))]
    return thresholdsOf({ agreed, no, edited: edits.length, meant } as AuditAnswer, rule).suggested?.threshold
  }

  it('is one that meets more of them than the present one', () => {
    expect(by(8, 0, 0.0017, 0.0018)).toBe(0.002) // 1.7 and 1.8 mm were said to be nothing
    expect(by(8, 2)).toBeUndefined() // two plain noes: the present one meets all that name a command
    expect(by(19, 0, 0.0017)).toBeUndefined() // one in twenty may disagree
  })
})

describe('an audit of a recorded run', () => {
  let path: string
  let workcell: Workcell
  const config = resolveConfig('tiny')

  beforeAll(async () => {
    path = join(mkdtempSync(join(tmpdir(), 'duet-audit-')), 'run')
    const folder = RunFolder.create(path, config)
    workcell = await Workcell.create({ cameras: true })
    const operator = new SimulatedOperator(() => workcell.truth(), 1)
    const log = EpisodeLog.open(folder.log, workcell.spec)
    let id = 0
    for (const [episode, task] of ['pick', 'assemble', 'pick'].entries()) {
      const seed = 40 + episode
      let next = workcell.resetSync(task, seed)
      log.begin({ episode, task, source: 'online', seed }, next)
      operator.begin(task)
      const plan = demonstrator(() => workcell.truth(), seed, { noise: 0.5, memory: 0.8 })
      for (let step = 0, over = false; !over; step++) {
        const planned = plan()
        const { takeover } = operator.tend(next, planned)
        const action = takeover ?? planned
        const { observation, reward, terminated } = workcell.stepSync(action)
        next = observation
        const truncated = !terminated && step >= 60
        const actor = takeover ? ('operator' as const) : ('primary' as const)
        log.step({ id: id++, step, action, reward, terminated, truncated, by: 'robot', actor, command: null }, next)
        over = terminated || truncated
      }
      log.end({ ending: 'success' })
    }
    log.close()
  })
  afterAll(() => {
    workcell.free()
    rmSync(join(path, '..'), { recursive: true })
  })

  it('runs logged episodes again without parting from them, and finds the tremor and nothing else in the hand', () => {
    const translator = openTranslator(translatorSettings(config, workcell.spec))
    const simulation = simulationOf({ robot: new SafeRobot(workcell), workcell })
    for (const episode of readEpisodes(join(path, 'log'))) {
      const { actions, parted } = intentionOf(episode, simulation, 'strong', translator)
      expect(parted).toBe(0)
      for (const [t, { actor, action }] of episode.steps.entries()) {
        if (actor !== 'operator') continue
        expect(action[6]).toBe(actions[t]![6])
        for (let axis = 0; axis < 6; axis++) {
          if (actions[t]![axis] === 0) expect(action[axis]).toBe(0)
          else expect(Math.abs(action[axis]! - actions[t]![axis]!)).toBeLessThan(5 * DEFAULT_OPERATOR.tremor)
        }
      }
    }
  })

  it('measures the displacement from the log, over the same window', () => {
    const translator = openTranslator(translatorSettings(config, workcell.spec))
    const [episode] = readEpisodes(join(path, 'log'))
    for (const { step, label, moved } of correctionsOf(episode!, translator)) {
      const at = (t: number) => episode!.observations[t]!.proprio
      for (let axis = 0; axis < 3; axis++)
        expect(moved[axis]).toBeCloseTo(at(step + label.window)[axis]! - at(step)[axis]!, 9)
    }
  })

  it('draws, compares with both sources, and reads back what a person answered', async () => {
    const { audit, html } = await auditLabels(path, { count: 12, seed: 3 })
    expect(audit.drawn).toBe(12)
    expect(audit.intention!.agreement.exact.of).toBe(12)
    expect(audit.displacement.agreement.axes.of).toBe(36)
    const cards = [...html.matchAll(/data-key="([^"]+)" data-label="([^"]+)"/g)]
    expect(cards).toHaveLength(12)
    const answers = cards.map(([, key, label], i) =>
      i < 9
        ? { key, label, answer: 'yes' }
        : i < 11
          ? { key, label, answer: 'no' }
          : { key, label, answer: 'edit', command: '[null]' },
    )
    const file = join(path, 'answers.json')
    const facts = { format: 'duet label audit', run: 'run', seed: 3, window: 5, threshold: 0.001 }
    writeFileSync(file, JSON.stringify({ ...facts, answers }))
    const { verdict } = await auditAnswers(path, readAnswers(file))
    expect([verdict.agreed.agree, verdict.agreed.of, verdict.no, verdict.edited]).toEqual([9, 12, 2, 1])
    expect(verdict.meant).toHaveLength(10)
  }, 30_000)

  it('refuses answers about another label, and files that are none', () => {
    const given = { key: 'A/0/1', label: 'move up', answer: 'yes' as const }
    const answers = {
      format: 'duet label audit' as const,
      run: '',
      seed: 0,
      window: 5,
      threshold: 0.001,
      answers: [given],
    }
    const translator = openTranslator(translatorSettings(config, workcell.spec))
    expect(() => judgeAnswers(answers, [], translator)).toThrow('is not in the log')
    const file = join(path, 'bad.json')
    writeFileSync(file, JSON.stringify({ ...answers, answers: [{ ...given, answer: 'edit' }] }))
    expect(() => readAnswers(file)).toThrow('answers.0')
    const [correction] = correctionsOf([...readEpisodes(join(path, 'log'))][0]!, translator)
    const { key, label } = correction!
    const flying = { key, label: label.command, answer: 'edit' as const, command: 'fly' }
    expect(() => judgeAnswers({ ...answers, answers: [flying] }, [correction!], translator)).toThrow(
      '"fly" is no command',
    )
  })
})
