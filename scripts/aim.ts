/**
 * @file How exactly a bolt has to be aimed at its hole: the scripted expert, who knows where holes are, is told a place beside
 * each, and what searching by touch would mend. `npx tsx scripts/aim.ts [trials]`
 */
import { formatTable } from '../src/metrics/summary.ts'
import { RandomStream } from '../src/random/stream.ts'
import { expertAction } from '../src/robots/workcell/expert.ts'
import { DEFAULT_OPTIONS, type WorkcellOptions } from '../src/robots/workcell/options.ts'
import { inFixture } from '../src/robots/workcell/plan.ts'
import { TASKS } from '../src/robots/workcell/tasks/index.ts'
import type { Fixture, Truth } from '../src/robots/workcell/truth.ts'
import { Workcell } from '../src/robots/workcell/workcell.ts'

const FIRST_SEED = 1_000_000 // starts that settings are chosen on
const ASIDE = [0, 0.5, 1, 1.5, 2, 3] // mm, standard deviation on x and on y; one draw an episode
const SEARCH = 1.5 // mm: how far from where it believes the hole to be it tries next, after a bolt that stood on the rim
const ON_RIM = { force: 15, height: 0.0012 } // N, m: as the expert itself takes it
const SCENES: Record<string, Partial<WorkcellOptions>> = {
  standard: {},
  hard: { friction: { ...DEFAULT_OPTIONS.friction, slot: 1 }, clearance: 0.000375, tip: 'flat' },
}
const PLACED = ['place', 'assemble']

type Aside = [x: number, y: number] // m

/** One who sees each hole beside where it is, and, searching, looks for it anew around there whenever the bolt stands on the rim. */
class Mistaken {
  private now: Aside
  private stood = false

  constructor(
    private readonly believed: Aside,
    private readonly searches: boolean,
    private readonly stream: RandomStream,
  ) {
    this.now = believed
  }

  act(truth: Truth) {
    const { fixture } = TASKS[truth.task]!.goal!(truth)!
    const { height } = inFixture(fixture, truth.bolts[truth.bolt]!.tip)
    const stands = Math.abs(height) < ON_RIM.height && truth.contactForce > ON_RIM.force
    if (this.searches && stands && !this.stood)
      this.now = this.believed.map((value) => value + (SEARCH / 1000) * this.stream.normal()) as Aside
    this.stood = stands
    const move = <F extends Fixture>(hole: F): F => {
      const [x, y, z] = hole.position
      return { ...hole, position: [x + this.now[0], y + this.now[1], z] }
    }
    return expertAction({ ...truth, stand: move(truth.stand), slots: truth.slots.map(move) })
  }
}

function succeeds(cell: Workcell, task: string, seed: number, aside: number, searches: boolean): boolean {
  const stream = new RandomStream(seed, 'aim')
  const believed: Aside = [(aside / 1000) * stream.normal(), (aside / 1000) * stream.normal()]
  const who = new Mistaken(believed, searches, stream)
  cell.resetSync(task, seed)
  for (let step = 0; step < TASKS[task]!.maxSteps; step++) {
    const { reward, terminated } = cell.stepSync(who.act(cell.truth()))
    if (terminated) return reward > 0
  }
  return false
}

const trials = Number(process.argv[2] ?? '50')
const rows: string[][] = []
for (const [scene, options] of Object.entries(SCENES)) {
  const cell = await Workcell.create(options)
  for (const searches of [false, true])
    rows.push([
      `${scene}${searches ? ', searching by touch' : ''}`,
      ...ASIDE.map((aside) =>
        PLACED.map((task) => {
          let count = 0
          for (let trial = 0; trial < trials; trial++)
            if (succeeds(cell, task, FIRST_SEED + trial, aside, searches)) count++
          return Math.round((100 * count) / trials)
        }).join(', '),
      ),
    ])
  cell.free()
}
const header = [`${PLACED.join(', ')}: % of ${trials}`, ...ASIDE.map((aside) => `${aside} mm`)]
process.stdout.write(`${formatTable(header, rows)}\n`)
