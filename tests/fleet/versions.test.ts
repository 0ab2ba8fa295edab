/** @file Which weights the robots of a fleet act with: the newest, those that passed a trial, or those that a person chose. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { FleetFolder } from '../../src/fleet/folder.ts'
import { fleetSettings } from '../../src/fleet/settings.ts'
import { goOnWithNewest, readVersions, rollBack, type Trial, Versions } from '../../src/fleet/versions.ts'
import { decodeMessage } from '../../src/link/codec.ts'
import { hashOf, inSixteenBits, publishedOf, weightsMessage } from '../../src/link/messages.ts'
import type { Published } from '../../src/link/ports.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-versions-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

const weights = (version: number): Published => ({ version, values: { head: Float32Array.of(version, 0.1) } })

/** Versions in a folder, by a clock of the test's; `trial` is how each is tried. */
function opened(name: string, given: object = {}, trial?: () => Promise<Trial>) {
  const folder = new FleetFolder(join(root, name))
  const out: Published[] = []
  const said: string[] = []
  const clock = { minutes: 0 }
  const versions = new Versions({
    folder,
    settings: fleetSettings(folder, given),
    publish: (published) => out.push(published) > 0,
    tryOut: trial,
    say: (line) => said.push(line),
    onFailed: (error) => said.push(String(error)),
    now: () => 60_000 * clock.minutes,
  })
  return { folder, versions, out, said, clock, numbers: () => out.map(({ version }) => version) }
}

describe('versions', () => {
  it('go out as they come, and are kept once a minute, the newest ones', () => {
    const { versions, folder, clock, numbers } = opened('kept', { keepVersions: 2 })
    for (const minutes of [0, 0.5, 1, 2.5, 2.6]) {
      clock.minutes = minutes
      versions.offer(weights(10 * minutes))
    }
    expect(numbers()).toEqual([0, 5, 10, 25, 26])
    expect(readVersions(folder).map(({ version }) => version)).toEqual([10, 25])
    expect(fs.readdirSync(folder.versions)).toHaveLength(3) // and the index
  })

  it('go back to what a person chose, exactly, also when the learner begins anew, until the newest are let out', () => {
    const first = opened('back')
    first.versions.offer(weights(1))
    first.clock.minutes = 2
    first.versions.offer(weights(2))
    expect(() => rollBack(first.folder, 7, 'Ann')).toThrow('version 7: is not kept. Choose one of 1, 2')
    rollBack(first.folder, 1, 'Ann')
    first.versions.look()
    first.versions.offer(weights(3))
    expect(first.numbers()).toEqual([1, 2, 1])
    expect(first.out[2]).toEqual({ ...weights(1), hash: hashOf(weights(1).values), back: true })
    expect(first.said).toEqual(['The robots go back to version 1, as Ann asked.'])
    expect(first.versions.state).toMatchObject({ newest: 3, acting: 1, chosen: { version: 1, by: 'Ann' } })

    const second = opened('back')
    second.versions.offer(weights(4))
    expect(second.numbers()).toEqual([1])
    goOnWithNewest(second.folder)
    second.versions.look()
    expect(second.numbers()).toEqual([1, 4])
    expect(second.out[1]!.back).toBeUndefined()
  })

  it('that were kept in 32 bits go back in 16 where those are asked for by now: a robot takes them', () => {
    const first = opened('fewer bits')
    first.versions.offer(weights(1))
    rollBack(first.folder, 1, 'Ann')
    const { out } = opened('fewer bits', { bits: 16 })
    const message = decodeMessage<never>(weightsMessage(out[0]!, 16)) // as the reception sends it
    const rounded = inSixteenBits(weights(1).values)
    expect(publishedOf(message.head, message)).toEqual({
      version: 1,
      values: rounded,
      hash: hashOf(rounded),
      back: true,
    })
  })

  it('that fail a trial never go out: the last that passed stay, and a later one may pass', async () => {
    const successes = [8, 7, 5, 6]
    const trial = async () => ({ successes: successes.shift()!, trials: 10 })
    const { versions, numbers, clock, said, folder } = opened(
      'tried',
      { canary: { trials: 5, everyMinutes: 1 } },
      trial,
    )
    for (const [version, minutes] of [
      [10, 0],
      [20, 1],
      [25, 1.5], // none is due
      [30, 2],
      [40, 3],
    ] as const) {
      clock.minutes = minutes
      versions.offer(weights(version))
      await setImmediate()
      if (version === 30) expect(versions.state).toMatchObject({ acting: 20, failed: { version: 30, successes: 5 } })
    }
    expect(numbers()).toEqual([10, 20, 40]) // the best is 0.8: below 0.6 is too low, 0.6 is not
    expect(said).toEqual([
      'Version 30 is not given to the robots: it succeeded in 5 of 10 trials, and the best before it 80 %.',
    ])
    expect(readVersions(folder).map(({ trial }) => trial?.successes)).toEqual([8, 7, 6])
  })

  it('are judged by the best before them when the learner begins anew, too, and that one can be gone back to', async () => {
    const given = { canary: { trials: 5, everyMinutes: 1 }, keepVersions: 1 }
    const successes = [9, 8, 6, 7]
    const trial = async () => ({ successes: successes.shift()!, trials: 10 })
    const first = opened('begun anew', given, trial)
    for (const version of [1, 2]) {
      first.clock.minutes = version
      first.versions.offer(weights(version))
      await setImmediate()
    }
    const kept = () => readVersions(first.folder).map(({ version }) => version)
    expect(kept()).toEqual([1, 2])
    const second = opened('begun anew', given, trial)
    for (const version of [3, 4]) {
      second.clock.minutes = version
      second.versions.offer(weights(version))
      await setImmediate()
    }
    expect(second.numbers()).toEqual([4])
    expect(second.said).toEqual([
      'Version 3 is not given to the robots: it succeeded in 6 of 10 trials, and the best before it 90 %.',
    ])
    expect(kept()).toEqual([1, 4])
  })

  it('that are in a trial when a person goes back, or when others come, do not act before they may', async () => {
    const ends: ((trial: Trial) => void)[] = []
    const trial = () => new Promise<Trial>((end) => ends.push(end))
    const { versions, numbers, clock, folder } = opened('in flight', { canary: { trials: 5, everyMinutes: 1 } }, trial)
    const end = async (successes: number) => {
      ends.shift()!({ successes, trials: 5 })
      await setImmediate()
    }
    versions.offer(weights(1))
    await end(4)
    clock.minutes = 1
    versions.offer(weights(2))
    clock.minutes = 3
    versions.offer(weights(3)) // while that of 2 goes on
    expect(ends).toHaveLength(1)
    rollBack(folder, 1, 'Ann')
    versions.look()
    await end(5)
    expect(numbers()).toEqual([1, 1])
    expect(versions.state).toMatchObject({ newest: 3, acting: 1, chosen: { version: 1 } })

    versions.look() // now 3 is tried, though a person's choice acts
    goOnWithNewest(folder)
    versions.look()
    expect(numbers()).toEqual([1, 1, 2]) // which has passed; 3 has not yet
    await end(5)
    expect(numbers()).toEqual([1, 1, 2, 3])
  })

  it('whose trial breaks end the learner by an error, and do not go out', async () => {
    const { versions, numbers, said } = opened('broken', { canary: { trials: 5 } }, () =>
      Promise.reject(new Error('no robot')),
    )
    versions.offer(weights(1))
    await setImmediate()
    expect(numbers()).toEqual([])
    expect(said).toEqual(['Error: no robot'])
  })

  it('are refused settings that there are not', () => {
    const folder = new FleetFolder(join(root, 'settings'))
    expect(() => fleetSettings(folder, { bits: 8 })).toThrow('setting "fleet.bits"')
    expect(fs.existsSync(folder.settings)).toBe(false)
    expect(fleetSettings(folder, { bits: 16 })).toMatchObject({ bits: 16, keepVersions: 20 })
    expect(fleetSettings(folder, { canary: { trials: 3 } })).toMatchObject({
      bits: 16,
      canary: { trials: 3, drop: 0.2 },
    })
  })
})

describe('weights in 16 bits', () => {
  // IEEE 754: 1 + 2^-11 lies half-way and goes to the even 1; 2^-24 is the least; 65504 the greatest
  const values = { head: Float32Array.of(1 + 2 ** -11, -0.1, 2 ** -24), refine: Float32Array.of(70_000) }
  const rounded = { head: Float32Array.of(1, -0.0999755859375, 2 ** -24), refine: Float32Array.of(65_504) }

  it('take half the bytes, and arrive as what they were rounded to, under its hash', () => {
    expect(inSixteenBits(values)).toEqual(rounded)
    const many = { version: 3, values: { head: new Float32Array(10_000).fill(0.25) } }
    expect(weightsMessage(many, 16).byteLength / weightsMessage(many).byteLength).toBeCloseTo(0.5, 2)
    const published = { version: 9, values: rounded, hash: hashOf(rounded) }
    const message = decodeMessage<never>(weightsMessage(published, 16))
    expect(publishedOf(message.head, message)).toEqual(published)
  })

  it('are refused where their hash is that of others', () => {
    const message = decodeMessage<never>(weightsMessage({ version: 9, values, hash: hashOf(values) }, 16))
    expect(() => publishedOf(message.head, message)).toThrow('are not what was published under their hash')
  })
})
