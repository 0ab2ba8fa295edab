import { expect, it } from 'vitest'
import { OnlineRecorder } from '../../src/loop/online-recorder.ts'
import { NO_COPIES } from '../../src/loop/perception.ts'
import { UpdateSchedule } from '../../src/loop/update-schedule.ts'
import type { EpisodeLog } from '../../src/replay/log.ts'
import { encoded as stored } from '../replay/numbered.ts'

const encoded = (frame: number) => ({ ...stored(frame), raw: stored(frame).h })
const told = { step: 0, action: new Float32Array(7), reward: 0, terminated: false, truncated: false }
const happening = { ...told, planned: told.action, by: 'robot', actor: 'primary', command: null } as const
const observation = { images: {}, proprio: Float32Array.of(0), time: 0 }

function aRecorder(refusal?: string) {
  const order: string[] = []
  const notes = (who: string) => {
    const note = (what: string) => () => {
      if (who === 'log' && what === refusal) throw new Error('the disk is full')
      order.push(`${who} ${what}`)
    }
    return { begin: note('begin'), step: note('step'), end: note('end') }
  }
  const log = { ...notes('log'), nextId: 0, nextEpisode: 0 } as unknown as EpisodeLog
  const link = { control: { learn: async () => ({ version: 0, made: 0, cut: 0 }) }, weights: { newest: undefined } }
  const tempo = new UpdateSchedule(link, 0, undefined, () => {})
  return { order, recorder: new OnlineRecorder(log, notes('learner'), NO_COPIES, tempo, { index: 0, of: 1 }, 0) }
}

it('everything is in the log before the learner hears of it', async () => {
  const { order, recorder } = aRecorder()
  recorder.begin('pick', 1, observation, encoded(0))
  await recorder.step(happening, observation, encoded(1))
  recorder.end({
    task: 'pick',
    seed: 1,
    ending: 'timeout',
    length: 1,
    operatorSteps: 0,
    spokenSteps: 0,
    commands: 0,
    segments: [],
  })
  expect(order).toEqual(['log begin', 'learner begin', 'log step', 'learner step', 'log end', 'learner end'])
})

it('the learner never hears of a step that the log could not take', async () => {
  const { order, recorder } = aRecorder('step')
  recorder.begin('pick', 1, observation, encoded(0))
  await expect(recorder.step(happening, observation, encoded(1))).rejects.toThrow('the disk is full')
  expect(order).toEqual(['log begin', 'learner begin'])
  expect(recorder.robotSteps).toBe(0)
})

it('numbers of several robots are their own, and ids go on from what the log holds', async () => {
  const ids: number[] = []
  const episodes: number[] = []
  const log = {
    ...{ nextId: 12, nextEpisode: 5 },
    begin: ({ episode }: { episode: number }) => void episodes.push(episode),
    step: ({ id }: { id: number }) => {
      ids.push(id)
      log.nextId = id + 1
    },
    end: () => void (log.nextEpisode = episodes.at(-1)! + 1),
  }
  const link = { control: { learn: async () => ({ version: 0, made: 0, cut: 0 }) }, weights: { newest: undefined } }
  const learner = { begin: () => {}, step: () => {}, end: () => {} }
  const schedule = new UpdateSchedule(link, 7, undefined, () => {})
  const cell = { index: 1, of: 3 }
  const recorder = new OnlineRecorder(log as unknown as EpisodeLog, learner, NO_COPIES, schedule, cell, 40)
  for (let episode = 0; episode < 2; episode++) {
    recorder.begin('pick', 1, observation, encoded(0))
    for (let step = 0; step < 2; step++) await recorder.step({ ...happening, step }, observation, encoded(1))
    recorder.end({
      task: 'pick',
      seed: 1,
      ending: 'timeout',
      length: 2,
      operatorSteps: 0,
      spokenSteps: 0,
      commands: 0,
      segments: [],
    })
  }
  expect(episodes).toEqual([7, 10]) // 1, 4, 7, 10, ... are its own
  expect(ids).toEqual([13, 16, 19, 22])
  expect([recorder.robotSteps, schedule.steps]).toEqual([44, 11])
})

it('an episode that is cut off is interrupted in the log, once, with the reason; the learner hears no end', async () => {
  const ends: unknown[] = []
  const log = { nextId: 0, nextEpisode: 0, begin: () => {}, step: () => {}, end: (end: unknown) => void ends.push(end) }
  const link = { control: { learn: async () => ({ version: 0, made: 0, cut: 0 }) }, weights: { newest: undefined } }
  const learner = { begin: () => {}, step: () => {}, end: () => void ends.push('the learner hears of it') }
  const schedule = new UpdateSchedule(link, 0, undefined, () => {})
  const place = { index: 0, of: 1 }
  const recorder = new OnlineRecorder(log as unknown as EpisodeLog, learner, NO_COPIES, schedule, place, 0)
  recorder.interrupt('before it began')
  recorder.begin('pick', 1, observation, encoded(0))
  recorder.interrupt('sensor: a camera is blind')
  recorder.interrupt('again')
  expect(ends).toEqual([{ ending: 'interrupted', why: 'sensor: a camera is blind' }])
})

it('a verdict goes with the end to both', () => {
  const ends: unknown[] = []
  const end = (...told: unknown[]) => void ends.push(told.at(-1))
  const log = { nextId: 0, nextEpisode: 0, begin: () => {}, step: () => {}, end }
  const link = { control: { learn: async () => ({ version: 0, made: 0, cut: 0 }) }, weights: { newest: undefined } }
  const schedule = new UpdateSchedule(link, 0, undefined, () => {})
  const place = { index: 0, of: 1 }
  const learner = { begin: () => {}, step: () => {}, end }
  const recorder = new OnlineRecorder(log as unknown as EpisodeLog, learner, NO_COPIES, schedule, place, 0)
  recorder.begin('pick', 1, observation, encoded(0))
  const summary = { task: 'pick', seed: 1, length: 0, operatorSteps: 0, spokenSteps: 0, commands: 0, segments: [] }
  recorder.end({ ...summary, ending: 'success', judged: { reward: 1, terminated: true } })
  const told = { ending: 'success', verdict: { reward: 1, terminated: true } }
  expect(ends).toEqual([told, told])
  recorder.interrupt('too late')
  expect(ends).toHaveLength(2)
})
