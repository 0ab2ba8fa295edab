import { expect, it } from 'vitest'
import { OnlineRecorder } from '../../src/loop/online-recorder.ts'
import { NO_COPIES } from '../../src/loop/perception.ts'
import { UpdateSchedule } from '../../src/loop/update-schedule.ts'
import type { EpisodeLog } from '../../src/replay/log.ts'
import { encoded } from '../replay/numbered.ts'

const told = { step: 0, action: new Float32Array(7), reward: 0, terminated: false, truncated: false }
const happening = { ...told, by: 'robot', actor: 'primary', command: null } as const
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
  recorder.end({ task: 'pick', seed: 1, ending: 'timeout', length: 1, operatorSteps: 0, segments: [] })
  expect(order).toEqual(['log begin', 'learner begin', 'log step', 'learner step', 'log end', 'learner end'])
})

it('the learner never hears of a step that the log could not take', async () => {
  const { order, recorder } = aRecorder('step')
  recorder.begin('pick', 1, observation, encoded(0))
  await expect(recorder.step(happening, observation, encoded(1))).rejects.toThrow('the disk is full')
  expect(order).toEqual(['log begin', 'learner begin'])
  expect(recorder.robotSteps).toBe(0)
})
