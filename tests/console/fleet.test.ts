/** @file The console of a fleet: what a page is greeted with, and what it may ask for. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { FleetEvent } from '../../src/console/protocol.ts'
import { decodeClientMessage } from '../../src/console/server/decode.ts'
import { RunObserver } from '../../src/console/server/observer.ts'
import { Orders } from '../../src/console/server/orders.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-console-fleet-'))
afterAll(() => rmSync(folder, { recursive: true }))

const EVENT: Omit<FleetEvent, 'kind'> = {
  robots: [
    {
      ...{ robot: 'B', share: 1, lag: 0.1, policyAge: 5, episodes: 3, success: 0, heard: 1, does: 'acts' },
      help: 'is silent',
      page: null,
    },
  ],
  versions: { newest: 9, acting: 8, chosen: null, failed: null },
  kept: [{ version: 8, at: '2026-01-01T00:00:00Z' }],
}

it('a page sees the robots, goes back to a version by its name, and moves no robot', () => {
  const asked: [number | null, string][] = []
  const observer = new RunObserver({
    fleet: {
      ...{ run: 'arms', settings: {}, tasks: [], controlRate: 5, folder },
      rollBack(version, by) {
        asked.push([version, by])
        return version === 7 ? 'version 7: is not kept' : undefined
      },
    },
  })
  observer.fleetIs(EVENT)
  const greeting = observer.greeting('1')
  expect(greeting[0]).toMatchObject({ kind: 'hello', mode: 'fleet', run: 'arms', controlRate: 5 })
  expect(greeting).toContainEqual({ kind: 'fleet', ...EVENT })

  const orders = new Orders(observer, () => {})
  const ann = { client: '1', name: 'Ann' }
  expect(orders.handle(ann, { kind: 'roll-back', version: 8 })).toBeUndefined()
  expect(orders.handle(ann, { kind: 'roll-back', version: null })).toBeUndefined()
  expect(orders.handle(ann, { kind: 'roll-back', version: 7 })).toBe('version 7: is not kept')
  expect(asked).toEqual([
    [8, 'Ann'],
    [null, 'Ann'],
    [7, 'Ann'],
  ])
  for (const message of [{ kind: 'stop' }, { kind: 'control', action: 'request' }] as const)
    expect(orders.handle(ann, message)).toBe('the robots of a fleet are held, tended and stopped where they are')
  const journal = readFileSync(join(folder, 'console.jsonl'), 'utf8')
  expect(journal).toContain('"what":"roll-back","version":8')
  observer.close()
})

it('a roll-back names a version, or none', () => {
  const read = (version: unknown) => decodeClientMessage(JSON.stringify({ kind: 'roll-back', version }))
  expect(read(3)).toEqual({ message: { kind: 'roll-back', version: 3 } })
  expect(read(null)).toEqual({ message: { kind: 'roll-back', version: null } })
  for (const version of [-1, 1.5, '3', undefined]) expect(read(version)).toHaveProperty('error')
})
