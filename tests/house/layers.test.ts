import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { arrows, circlesBetweenRooms, files, LAYERS, roomOf, unknownRooms, upwardArrows } from '../../scripts/house.ts'
import { read } from './files.ts'

describe('rooms', () => {
  it('are all in the list of layers, and in ARCHITECTURE.md', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(unknownRooms()).toEqual([])
    const architecture = read('ARCHITECTURE.md')
    const missing = LAYERS.flat().filter(
      (room) => !architecture.includes(`\`${room}${room.endsWith('.ts') ? '' : '/'}\``),
    )
    expect(missing).toEqual([])
  })

  it('import from those below, never from above or beside', () => expect(upwardArrows()).toEqual([]))

  it('have no circle of files between them', () => expect(circlesBetweenRooms()).toEqual([]))

  it('do not look into what the report is not made of: metrics, not learners or robots', () => {
    const report = arrows.filter(({ from }) => from.startsWith('review/report/'))
    expect(report.length).toBeGreaterThan(5)
    const rooms = ['review', 'metrics', 'run', 'random', 'durable.ts', 'errors.ts']
    expect(report.filter(({ to }) => !rooms.includes(roomOf(to)))).toEqual([])
  })

  it('load the client of a broker only where somebody takes part in a fleet', () => {
    const reached = new Set(files.filter((file) => /^(cli|public)\//.test(file)))
    for (const file of reached) // grows while it is gone through
      for (const [, path] of read(join('src', file)).matchAll(
        /^(?:import|export|\}) (?!type )[^;]*?from '(\.[^']+)'/gm,
      ))
        reached.add(join(dirname(file), path!))
    const loading = files.filter((file) => read(join('src', file)).includes("from '@nats-io/"))
    expect(loading).toEqual(expect.arrayContaining(['link/nats/connect.ts', 'fleet/keys.ts']))
    expect(reached.size).toBeGreaterThan(200)
    expect(loading.filter((file) => reached.has(file))).toEqual([])
  })

  it('reach a kind of robot through the registry; only what belongs to the simulator knows it by name', () => {
    const insider = /^(studies\/|pretrain\/|cli\/(demo|doctor|serve)|robots\/ros\/serve\/)/ // the last puts it behind a bridge
    const serving = ({ from, to }: { from: string; to: string }) => from === 'cli/serve.ts' && to.includes('/serve/')
    const kindOf = (file: string) => /^robots\/(\w+)\//.exec(file)?.[1]
    const intoKinds = arrows.filter(({ to }) => kindOf(to))
    expect(intoKinds.length).toBeGreaterThan(50)
    const strangers = intoKinds
      .filter(({ from, to }) => kindOf(from) !== kindOf(to) && from !== 'robots/index.ts')
      .filter((arrow) => !(insider.test(arrow.from) && kindOf(arrow.to) === 'workcell') && !serving(arrow))
      .filter(({ from, to }) => from !== `cli/${kindOf(to)}.ts`) // a kind may have a command of its own
    expect(strangers).toEqual([])
  })
})
