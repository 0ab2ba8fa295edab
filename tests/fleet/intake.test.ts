/** @file What a learner takes in of a robot, and what is left of it after a kill. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { InputError, LostError } from '../../src/errors.ts'
import { Intake, type IntakeOptions } from '../../src/fleet/intake.ts'
import type { Tallied } from '../../src/fleet/tally.ts'
import { encodeMessage } from '../../src/link/codec.ts'
import { stepMessage } from '../../src/link/messages.ts'
import { aReplay, encoded, SHAPE, stepOf } from '../replay/numbered.ts'
import { begun, ended, experienceInto, FROM, stepped, whole } from './told.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-intake-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

async function opened(path: string) {
  const replay = aReplay()
  const episodes: Tallied[] = []
  const options: IntakeOptions = {
    origin: FROM,
    shape: { ...SHAPE, copies: 1 },
    tasks: ['place', 'pick'],
    experience: experienceInto(replay),
    onEpisode: (episode) => episodes.push(episode),
  }
  const intake = await Intake.open(path, options)
  const take = async (messages: ArrayBuffer[]) => {
    const taken: boolean[] = []
    for (const message of messages) taken.push(await intake.take(message))
    return taken
  }
  return { intake, replay, episodes, take, options }
}

const one = { episode: 3, steps: 3, operator: (t: number) => t === 1 }
const two = { episode: 67, steps: 2 }

describe('an intake', () => {
  it('counts each thing once, however often and late it is told', async () => {
    const { intake, replay, take, episodes } = await opened(join(root, 'once'))
    expect(await take(whole(one))).toEqual([true, true, true, true, true])
    expect(await take(whole(one))).toEqual([false, false, false, false, false])
    expect(await take([begun(two), stepped(two, 0)])).toEqual([true, true])
    expect(await take([stepped(one, 2), begun(two), stepped(two, 0)])).toEqual([false, false, false])
    expect(intake.have).toEqual({ episode: 67, steps: 1, closed: false })
    expect(await take([stepped(two, 1), ended(two)])).toEqual([true, true])
    expect(replay.stats()).toMatchObject({ episodes: 2, transitions: 5 })
    expect(intake).toMatchObject({ steps: 5, episodes: 2, policyVersion: 41 })
    expect(episodes[0]).toEqual({
      ...{ episode: 3, task: 'place', seed: 3, success: false, length: 3, operatorSteps: 1 },
      ...{ spokenSteps: 0, commands: 0, segments: [{ from: 1, steps: 1 }], by: 'clock' },
    })
    await intake.close()
  })

  it('after a kill in the middle of a write has everything up to there, and goes on', async () => {
    const path = join(root, 'killed')
    const before = await opened(path)
    await before.take([...whole(one), begun(two), stepped(two, 0)])
    await before.intake.kept()
    await before.intake.close()
    fs.appendFileSync(path, Buffer.from(stepped(two, 1)).subarray(0, 40).fill('DUET', 0, 4)) // a mark, and no whole message
    const { intake, replay, take } = await opened(path)
    expect(intake.have).toEqual({ episode: 67, steps: 1, closed: false })
    expect(await take([begun(two), stepped(two, 0), stepped(two, 1), ended(two)])).toEqual([false, false, true, true])
    expect(replay.stats()).toMatchObject({ episodes: 2, transitions: 5 })
    await intake.close()
    const again = await opened(path)
    expect(again.intake).toMatchObject({ steps: 5, episodes: 2 })
    await again.intake.close()
  })

  it('counts an episode that was cut short neither as success nor as failure', async () => {
    const { intake, take, episodes } = await opened(join(root, 'cut'))
    const cut = stepped(two, 0)
    await take([...whole(one), begun(two), cut, ended(two, { ending: 'abort' })])
    expect(episodes.map(({ aborted }) => aborted)).toEqual([undefined, true])
    expect(intake.outcomes).toEqual([false])
    await intake.close()
  })

  it('ends an episode whose robot went on to another one without an end', async () => {
    const { intake, replay, take, episodes } = await opened(join(root, 'went-on'))
    await take([begun(one), stepped(one, 0), ...whole(two)])
    expect(replay.stats()).toMatchObject({ episodes: 2, transitions: 3 })
    expect(episodes.map(({ episode, length }) => [episode, length])).toEqual([
      [3, 1],
      [67, 2],
    ])
    await intake.close()
  })

  it('counts each thing once where one session tells it while another that broke has it in hand', async () => {
    const { intake, replay, take, options } = await opened(join(root, 'two-sessions'))
    await take([begun(one), stepped(one, 0)])
    let letGo = () => {}
    const full = new Promise<void>((resolve) => (letGo = resolve))
    options.experience.room = () => full // the learner is behind
    const broken = intake.take(begun(two)) // ends the one before it first
    await setImmediate()
    const told = [begun(two), stepped(two, 0), stepped(two, 1)].map((message) => intake.take(message))
    await setImmediate()
    letGo()
    expect([await broken, ...(await Promise.all(told))]).toEqual([true, false, true, true])
    expect(intake).toMatchObject({ steps: 3, have: { episode: 67, steps: 2, closed: false } })
    await take([ended(two)])
    expect(replay.stats()).toMatchObject({ episodes: 2, transitions: 3 })
    await intake.close()
    const again = await opened(join(root, 'two-sessions'))
    expect(again.intake).toMatchObject({ steps: 3, episodes: 2 })
    await again.intake.close()
  })

  it.each([
    ['a gap', [stepped(one, 1)], 'episode 3 step 1: arrived where step 0 was due'],
    ['another robot', [stepped(one, 0, { run: 'arms', robot: 'B' })], 'says that it is of robot "B" of run "arms"'],
    ['another run', [ended(one, undefined, { run: 'legs', robot: 'A' })], 'This learner serves run "arms"'],
    ['another task', [begun({ ...two, task: 'dance' })], 'is of task "dance". This run has: place, pick'],
    ['an unknown kind', [encodeMessage({ head: { kind: 'dance', from: FROM }, arrays: [] })], 'whose kind is wrong'],
    ['a head of nothing', [encodeMessage({ head: null, arrays: [] })], 'has a head'],
    [
      'a missing action',
      [encodeMessage({ head: { kind: 'step', from: FROM, episode: 3, step: {} }, arrays: [] })],
      'step.id',
    ],
    ['bytes that are no message', [new ArrayBuffer(5)], 'has 5 bytes'],
    [
      'a number that is none',
      [stepMessage(FROM, 3, stepOf(one, 0), { ...encoded(3001), proprio: Float32Array.of(1, Number.NaN) })],
      'episode 3 step 0 proprio[1]: is NaN',
    ],
  ])('refuses %s, and keeps nothing of it', async (what, messages, words) => {
    const path = join(root, what.replaceAll(' ', '-'))
    const { intake, take } = await opened(path)
    await take([begun(one)])
    await intake.kept()
    const { size } = fs.statSync(path)
    await expect(take(messages)).rejects.toThrow(words)
    await expect(take(messages)).rejects.toBeInstanceOf(InputError)
    expect(fs.statSync(path).size).toBe(size)
    expect(await take([stepped(one, 0)])).toEqual([true])
    await intake.close()
  })
})

describe('the journal of a robot', () => {
  it('is on disk when it says so, by one flush for many messages', async () => {
    const { intake, take } = await opened(join(root, 'flushed'))
    await take(whole(one))
    const handle = (intake as unknown as { journal: { file: { sync: () => Promise<void> } } }).journal.file
    const sync = vi.spyOn(handle, 'sync')
    await Promise.all([intake.kept(), intake.kept(), intake.kept()])
    expect(sync).toHaveBeenCalledTimes(1)
    await intake.close()
  })

  it('is refused where it is damaged, or of another robot', async () => {
    const path = join(root, 'damaged')
    const { intake, take } = await opened(path)
    await take([...whole(one), ...whole(two)])
    await intake.close()
    const bytes = fs.readFileSync(path)
    bytes[600]! ^= 1
    fs.writeFileSync(path, bytes)
    await expect(opened(path)).rejects.toThrow('its robot has all of it in its own log, and sends it again')
    const other = join(root, 'other')
    await (await opened(other)).intake.close()
    fs.writeFileSync(other, fs.readFileSync(other, 'latin1').replace('"robot":"A"', '"robot":"B"'), 'latin1')
    await expect(opened(other)).rejects.toThrow('is damaged') // its checksum
  })

  it('that the disk refuses is no fault of the robot, and leaves no half message', async () => {
    const path = join(root, 'full')
    const { intake, take } = await opened(path)
    await take([begun(one)])
    const { size } = fs.statSync(path)
    const write = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
    })
    await expect(take([stepped(one, 0)])).rejects.toBeInstanceOf(LostError)
    write.mockRestore()
    expect(fs.statSync(path).size).toBe(size)
    await intake.close()
  })
})
