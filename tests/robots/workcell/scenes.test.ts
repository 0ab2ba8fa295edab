/** @file Settings that make the workcell harder: each reaches the scene, none moves the default one, and demonstrations know theirs. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RandomStream } from '../../../src/random/stream.ts'
import { EpisodeLog } from '../../../src/replay/log.ts'
import { attempt } from '../../../src/robot/attempt.ts'
import { optionsOf, WorkcellConfig } from '../../../src/robots/workcell/config.ts'
import { demonstrator, expertSuccess } from '../../../src/robots/workcell/demonstrator.ts'
import { guardedWorkcell } from '../../../src/robots/workcell/guarded.ts'
import { workcellXml } from '../../../src/robots/workcell/mjcf.ts'
import { DEFAULT_OPTIONS, type WorkcellOptions } from '../../../src/robots/workcell/options.ts'
import { rotationVector } from '../../../src/robots/workcell/spatial.ts'
import { specOf } from '../../../src/robots/workcell/spec.ts'
import { startOf } from '../../../src/robots/workcell/start.ts'
import { TASKS } from '../../../src/robots/workcell/tasks/index.ts'
import { scatterToys, TOYS } from '../../../src/robots/workcell/toys.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'
import { readDemonstrations } from '../../../src/run/demonstrations.ts'
import { pairChannels } from '../../../src/vla/nano/channels.ts'
import { NanoConfig } from '../../../src/vla/nano/config.ts'
import { NANO_FOLDER } from '../../../src/vla/nano/weights.ts'

const HARD = { slotFriction: 1, clearance: 0.000375, tip: 'flat' }
const WIDE = { starts: { tool: 0.03, turn: 0.3, fixtures: 0.02, yaw: 0.24 }, toys: 3, frontHidden: 0.5 }

const optionsFor = (settings: object, blind = true) => optionsOf(WorkcellConfig.parse(settings), 'A', blind)
const sha = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)
const startFor = (task: string, seed: number, options: WorkcellOptions) =>
  startOf(TASKS[task]!, new RandomStream(seed, 'environment'), options, 0)

describe('places that are told', () => {
  it('follow what the robot tells anyway: from the tool to bolt and fixtures, and which way the bolt points; an encoder reads past them', async () => {
    const [plain, told] = await Promise.all(
      [{ arm: 'gantry' }, { arm: 'gantry', tellsPlaces: true }].map((settings) =>
        Workcell.create(optionsFor(settings)),
      ),
    )
    for (const cell of [plain!, told!]) {
      await cell.reset('assemble', 5)
      await cell.step(Float32Array.of(0.5, -0.5, 0.5, 0, 0, 1, 1))
    }
    const [own, all] = [plain!.observeSync().proprio, told!.observeSync().proprio]
    expect(all.slice(0, own.length)).toEqual(own)
    expect(told!.spec.channels.slice(own.length).map(({ name }) => name)).toEqual(
      [...['tip', 'head', 'stand', 'slot', 'cradle'].map((name) => `place.${name}`), 'bolt.up'].flatMap((name) =>
        ['x', 'y', 'z'].map((axis) => `${name}.${axis}`),
      ),
    )
    expect(all.length).toBe(told!.spec.channels.length)
    const { bolts, stand, slots, cradles } = told!.truth()
    const places = Array.from({ length: 5 }, (_, k) => [0, 1, 2].map((i) => all[own.length + 3 * k + i]! + all[i]!))
    const [tip, head] = places
    for (const [place, there] of [
      [tip, bolts[0]!.tip],
      [places[2], stand.position],
      [places[3], slots[0]!.position],
      [places[4], cradles[0]!.position],
    ] as const)
      place!.forEach((entry, i) => {
        expect(entry).toBeCloseTo(there[i]!, 5)
      })
    const along = head!.map((entry, i) => entry - tip![i]!) // a bolt is as long as it is, and points from tip to head
    const length = Math.hypot(...along)
    expect(length).toBeCloseTo(0.066, 4) // 56 mm of shaft, 10 of head
    const up = [...all.slice(own.length + 15)]
    up.forEach((entry, i) => {
      expect(entry).toBeCloseTo(along[i]! / length, 4)
    })
    const { proprio } = NanoConfig.parse(JSON.parse(readFileSync(join(NANO_FOLDER, 'config.json'), 'utf8')))
    const pairing = pairChannels(proprio, told!.spec.channels)!
    expect([[...pairing.pair(all)], pairing.missing]).toEqual([[...own], []])
    for (const cell of [plain!, told!]) cell.free()
  })
})

describe('the default scene', () => {
  it('is what the settings give where nobody sets one', () => {
    expect(optionsFor({}, false)).toEqual(DEFAULT_OPTIONS)
    expect(specOf(optionsFor({})).name).toBe('workcell-panda-1')
  })

  // hashes of the model before there were such settings
  it.each([
    ['panda', 1, false, 'b9b539f1d2f59eee'],
    ['panda', 1, true, '267b69d58b67199c'],
    ['panda', 4, false, '18fbfbe719ea15ac'],
    ['gantry', 1, false, 'b4af008a0082c6d5'],
    ['gantry', 4, true, '0bd53505c41e8c04'],
  ] as const)('is the model that it was: %s, %d bolts, rail %s', (arm, bolts, rail, hash) => {
    expect(sha(workcellXml({ ...DEFAULT_OPTIONS, arm, bolts, rail }))).toBe(hash)
  })

  it('draws the starts that it drew', () => {
    const starts = Object.keys(TASKS).flatMap((task) => [0, 1, 2].map((seed) => startFor(task, seed, DEFAULT_OPTIONS)))
    const text = JSON.stringify(starts, (_, value) => (typeof value === 'number' ? +value.toFixed(9) : value))
    expect(sha(text)).toBe('06ed9490516afe32')
  })
})

describe('holes and tips', () => {
  it('the slots alone have the friction that is set', () => {
    const frictions = [
      ...workcellXml(optionsFor({ slotFriction: 1.1 })).matchAll(/<body name="(\w+)" mocap[\s\S]*?friction="([\d.]+)/g),
    ]
    expect(frictions.map(([, name, friction]) => [name, friction])).toEqual([
      ['cradle0', '0.3'],
      ['stand', '0.3'],
      ['slot0', '1.1'],
    ])
  })

  it('every hole has the clearance that is set, and the truth says so', async () => {
    const cell = await Workcell.create(optionsFor({ clearance: 0.0005 }))
    const walls = cell.world.geoms().filter(({ body }) => body === 'slot0')
    expect(walls[2]!.size[0]).toBeCloseTo(0.0085, 9) // half the width of the hole, along its wall
    const { slots, stand, cradles } = cell.truth()
    expect([...slots, stand, ...cradles].map(({ clearance }) => clearance)).toEqual([0.0005, 0.0005, 0.0005])
    cell.free()
  })

  /** Deepest tip, in metres under the opening, of a held bolt that is pushed straight down 3 mm beside the slot. */
  async function depthBeside(settings: object): Promise<number> {
    const cell = await Workcell.create(optionsFor(settings))
    cell.resetSync('assemble', 3)
    const { slots, bolts, tcp } = cell.truth()
    const [x, y, z] = slots[0]!.position
    const bolt = bolts[0]!
    const shift = [x + 0.003 - bolt.tip[0], y - bolt.tip[1], z + 0.002 - bolt.tip[2]]
    const start = startFor('assemble', 3, cell.options)
    const moved = <P extends { position: [number, number, number] }>(pose: P): P => ({
      ...pose,
      position: pose.position.map((value, i) => value + shift[i]!) as [number, number, number],
    })
    cell.setScene({
      ...start,
      tcp: moved({ ...start.tcp, position: [...tcp.position] }),
      bolts: [moved({ ...bolt, position: [...bolt.position] })],
    })
    for (let step = 0; step < 12; step++) cell.stepSync(Float32Array.of(0, 0, -0.3, 0, 0, 0, 1))
    const depth = z - cell.truth().bolts[0]!.tip[2]
    cell.free()
    return depth
  }

  it('a round tip slides into the slot from 3 mm beside, a flat one stands on the rim', async () => {
    const rough = { slotFriction: 1, clearance: 0.000375 }
    expect(await depthBeside(rough)).toBeGreaterThan(0.01)
    expect(await depthBeside({ ...rough, tip: 'flat' })).toBeLessThan(0.005)
  })
})

describe('wider starts', () => {
  const extent = (values: number[]) => Math.max(...values) - Math.min(...values)
  const seeds = Array.from({ length: 300 }, (_, seed) => seed)
  const ranges = (settings: object) => {
    const starts = seeds.map((seed) => startFor('place', seed, optionsFor(settings)))
    return {
      tool: [0, 1, 2].map((axis) => extent(starts.map(({ tcp }) => tcp.position[axis]!)) / 2),
      turn: extent(starts.map(({ tcp }) => rotationVector(tcp.rotation)[2])) / 2,
      stand: [0, 1].map((axis) => extent(starts.map(({ fixtures }) => fixtures.stand.position[axis]!)) / 2),
      yaw: extent(starts.map(({ fixtures }) => rotationVector(fixtures.stand.rotation)[2])) / 2,
    }
  }

  it('reach as far beyond the default ones as is set', () => {
    const { tool, stand, yaw } = ranges({})
    const wide = ranges(WIDE)
    expect(tool.map((range) => 1000 * range)).toEqual([40, 40, 30].map((range) => expect.closeTo(range, -0.5)))
    for (const axis of [0, 1, 2]) expect(1000 * (wide.tool[axis]! - tool[axis]!)).toBeCloseTo(30, -0.5)
    for (const axis of [0, 1]) expect(1000 * (wide.stand[axis]! - stand[axis]!)).toBeCloseTo(20, -0.5)
    expect(wide.yaw - yaw).toBeCloseTo(0.24, 1.5)
    expect(wide.turn).toBeGreaterThan(3 * ranges({}).turn)
  })

  it('are drawn as by default where they are not wider', () => {
    expect(startFor('pick', 5, optionsFor({ toys: 3, frontHidden: 0.5 }))).toEqual(startFor('pick', 5, DEFAULT_OPTIONS))
  })

  it('are refused where four bolts leave no room', () => {
    const refusal = WorkcellConfig.safeParse({ bolts: 4, starts: { fixtures: 0.01 } }).error!.issues[0]!
    expect(refusal.path.join('.')).toBe('starts.fixtures')
    expect(refusal.message).toContain('set it to 0, or robot.bolts to 1')
    expect(WorkcellConfig.safeParse({ bolts: 4, starts: { tool: 0.01 } }).success).toBe(true)
  })
})

describe('toys', () => {
  it('lie on the table beside all fixtures and each other, elsewhere in each episode', () => {
    const places = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const { fixtures } = startFor('place', seed, optionsFor(WIDE))
      const poses = scatterToys(new RandomStream(seed, 'toys'), TOYS, fixtures)
      const others = [...fixtures.cradles, fixtures.stand, ...fixtures.slots].map(({ position }) => position)
      for (const [i, { position }] of poses.entries()) {
        for (const [x, y] of [...others, ...poses.slice(0, i).map((pose) => pose.position)])
          expect(Math.hypot(position[0] - x, position[1] - y)).toBeGreaterThan(0.054)
        expect(Math.abs(position[0] - 0.5)).toBeLessThan(0.11)
        places.add(position.join())
      }
    }
    expect(places.size).toBe(300)
  })

  it('stay where they lie while nobody touches them', async () => {
    const cell = await Workcell.create(optionsFor({ toys: 3 }))
    cell.resetSync('place', 2)
    const drawn = scatterToys(new RandomStream(2, 'toys'), TOYS, startFor('place', 2, DEFAULT_OPTIONS).fixtures)
    for (const [i, { body }] of cell.world.toys.entries()) {
      const { position } = cell.world.bodyPose(body)
      for (const axis of [0, 1]) expect(position[axis]).toBeCloseTo(drawn[i]!.position[axis]!, 3)
      expect(position[2]).toBeCloseTo([0.016, 0.018, 0.016][i]!, 3)
    }
    cell.free()
  })
})

describe('a panel before the front camera', () => {
  let cell: Workcell
  beforeAll(async () => {
    cell = await Workcell.create(optionsFor({ frontHidden: 0.5 }, false))
  })
  afterAll(() => cell.free())

  /** Whether bolts, fixtures and hand are hidden: the lower three quarters of the picture are one colour. */
  const isHidden = ({ images }: ReturnType<Workcell['observeSync']>) => {
    const { data, width, height } = images.front!
    const lower = data.subarray(3 * width * (height / 4))
    return [0, 1, 2].every((colour) => lower.every((value, i) => i % 3 !== colour || value === lower[colour]))
  }

  it('stands there in half of the episodes, the same ones each time', () => {
    const hidden = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => isHidden(cell.resetSync('pick', from + i)))
    const once = hidden(0, 120)
    const share = once.filter(Boolean).length / once.length
    expect(share).toBeGreaterThan(0.38) // 0.5 ± 2.6 standard errors
    expect(share).toBeLessThan(0.62)
    expect(hidden(0, 8)).toEqual(once.slice(0, 8))
  })

  it('is part of a snapshot', () => {
    const seeds = [...Array(20).keys()]
    const found = (wanted: boolean) => seeds.find((seed) => isHidden(cell.resetSync('pick', seed)) === wanted)!
    const [hidden, seen] = [found(true), found(false)]
    cell.resetSync('pick', hidden)
    const snapshot = cell.snapshot()
    expect(isHidden(cell.resetSync('pick', seen))).toBe(false)
    cell.restore(snapshot)
    expect(isHidden(cell.observeSync())).toBe(true)
  })

  it('makes no camera look blind: the arm is seen over it', async () => {
    const { robot, workcell } = await guardedWorkcell(optionsFor({ frontHidden: 1 }, false))
    for (const task of ['place', 'assemble']) {
      const act = demonstrator(() => workcell.truth(), 1)
      const suspicions: unknown[] = []
      const { success } = await attempt(robot, task, 1, () => {
        suspicions.push(robot.suspicion)
        return act()
      })
      expect(isHidden(workcell.observeSync())).toBe(true)
      expect(success).toBe(true)
      expect(suspicions.filter((suspicion) => suspicion !== null)).toEqual([])
    }
    workcell.free()
  })
})

describe('in a harder scene', () => {
  it.each([
    ['hard', HARD],
    ['wide', WIDE],
  ])('the expert solves the tasks: %s', async (_, settings) => {
    const cell = await Workcell.create(optionsFor(settings))
    const trials = 6
    const counts = await expertSuccess({
      robot: cell,
      truth: () => cell.truth(),
      tasks: ['place', 'pick', 'assemble'],
      firstSeed: 400,
      trials,
    })
    for (const { successes } of Object.values(counts)) expect(successes).toBe(trials)
    cell.free()
  })

  it('the robot is another by name, one name a scene, and demonstrations of one are refused in another', () => {
    const names = [
      {},
      HARD,
      WIDE,
      { tip: 'flat' },
      { toys: 1 },
      { starts: { yaw: 0.1 } },
      { frontHidden: 0.25 },
      { tellsPlaces: true },
    ].map((settings) => specOf(optionsFor(settings)).name)
    expect(new Set(names).size).toBe(names.length)
    expect(names[1]).toBe('workcell-panda-1-friction1-clearance0.000375-flat')
    const folder = mkdtempSync(join(tmpdir(), 'scenes-'))
    EpisodeLog.open(folder, specOf(optionsFor({}))).close()
    expect([...readDemonstrations(folder, specOf(optionsFor({})))]).toEqual([])
    expect(() => [...readDemonstrations(folder, specOf(optionsFor(HARD)))]).toThrow(
      'was written by a robot whose name is "workcell-panda-1", this one\'s is "workcell-panda-1-friction1',
    )
    rmSync(folder, { recursive: true })
  })
})
