/**
 * @file Frames of play. A frame keeps the poses of everything drawn instead of pixels, so that each use of it can be
 * rendered anew with other colours, light and cameras.
 */
import { setImmediate } from 'node:timers/promises'
import { InputError } from '../errors.ts'
import type { RandomStream } from '../random/stream.ts'
import { markActive, sceneOf } from '../robots/workcell/appearance.ts'
import type { WorkcellOptions } from '../robots/workcell/options.ts'
import type { Scene } from '../robots/workcell/render/scene.ts'
import { TOYS } from '../robots/workcell/toys.ts'
import type { Pose, Truth } from '../robots/workcell/truth.ts'
import { Workcell } from '../robots/workcell/workcell.ts'
import { UnstableError } from '../robots/workcell/world.ts'
import { actionTowards, nextBout, type PlayToy } from './play.ts'
import { playStart } from './play-start.ts'
import { targetsOf } from './targets.ts'

export type PlayFrame = {
  cell: number // index of the cell that it was played in
  bolt: number // the active one
  positions: Float32Array // [geoms, 3]
  rotations: Float32Array // [geoms, 9]
  hand: Pose // carries the wrist camera
  proprio: Float32Array
  action: Float32Array // what the play script wanted, before noise
  instruction: string
  targets: Float32Array // [TARGET_WIDTH]
}

/** A workcell to play in. */
export type PlayCell = { workcell: Workcell; scene: Scene; bodies: string[]; toys: PlayToy[] }

const NOISE = [0, 0.1, 0.2, 0.35] // standard deviation in action units, one an episode
const NOISE_MEMORY = 0.7 // autoregressive
const EPISODE_STEPS = 30

/** Cells with one and with four bolts, without and with toys; most have one bolt, as the tasks do. */
export async function playCells(): Promise<PlayCell[]> {
  const [box, cylinder, ball] = TOYS
  const variants: [Partial<WorkcellOptions>, string[]][] = [
    [{ bolts: 1 }, []],
    [{ bolts: 1, toys: [box, cylinder] }, ['box', 'cylinder']],
    [{ bolts: 1, toys: [ball] }, ['ball']],
    [{ bolts: 4 }, []],
  ]
  return Promise.all(variants.map(([options, names]) => playCell(options, names)))
}

async function playCell(options: Partial<WorkcellOptions>, toyNames: string[]): Promise<PlayCell> {
  const workcell = await Workcell.create({ ...options, cameras: false })
  const { world } = workcell
  return {
    workcell,
    scene: sceneOf(world, workcell.options),
    bodies: world.geoms().map(({ body }) => body),
    toys: toyNames.map((name, i) => ({ name, pose: () => world.bodyPose(world.toys[i]!.body) })),
  }
}

/** Shares of the episodes, in the order of `playCells`. */
const cellShares = (fourBolts: number): number[] =>
  [12, 3, 2].map((part) => (part / 17) * (1 - fourBolts)).concat(fourBolts)

/** Plays until there are `count` frames, that share of them in the cell with four bolts. `progress` is called with the number so far. */
export async function collectPlay(
  cells: readonly PlayCell[],
  count: number,
  fourBolts: number,
  stream: RandomStream,
  progress: (frames: number) => void = () => {},
): Promise<PlayFrame[]> {
  const shares = cellShares(fourBolts)
  const frames: PlayFrame[] = []
  while (frames.length < count) {
    let left = stream.uniform()
    const cell = Math.max(
      0,
      shares.findIndex((share) => (left -= share) < 0),
    )
    try {
      for (const frame of playEpisode(cells, cell, stream)) if (frames.length < count) frames.push(frame)
    } catch (error) {
      // A start whose parts overlap, or a pose that the arm cannot take: another one is drawn.
      if (!(error instanceof UnstableError || error instanceof InputError)) throw error
    }
    progress(frames.length)
    await setImmediate() // a signal is heard between two episodes
  }
  return frames
}

function playEpisode(cells: readonly PlayCell[], index: number, stream: RandomStream): PlayFrame[] {
  const cell = cells[index]!
  const { workcell, toys } = cell
  const { bolts } = workcell.options
  const bolt = stream.integer(bolts)
  workcell.begin('place', { bolt })
  workcell.setScene(playStart(stream, bolts, bolt, toys.length))
  const noise = stream.pick(NOISE)
  const disturbance = new Float32Array(6)
  const frames: PlayFrame[] = []
  let observation = workcell.observeSync()
  let truth = workcell.truth()
  while (frames.length < EPISODE_STEPS && onTheTable(truth)) {
    const bout = nextBout(stream, truth, toys)
    for (let step = 0; step < bout.steps && frames.length < EPISODE_STEPS && onTheTable(truth); step++) {
      const action = actionTowards(bout.goal(truth), truth.tcp)
      frames.push({
        ...playFrame(cell, index, truth),
        proprio: observation.proprio,
        action,
        instruction: bout.instruction,
      })
      const noisy = action.slice()
      for (let axis = 0; axis < 6; axis++) {
        const fresh = noise * Math.sqrt(1 - NOISE_MEMORY ** 2) * stream.normal()
        disturbance[axis] = NOISE_MEMORY * disturbance[axis]! + fresh
        noisy[axis]! += disturbance[axis]!
      }
      observation = workcell.stepSync(noisy).observation
      truth = workcell.truth()
    }
  }
  return frames
}

/** The poses of everything drawn, and the readings, as they are now. */
export function playFrame(
  { workcell }: PlayCell,
  cell: number,
  truth: Truth,
): Omit<PlayFrame, 'proprio' | 'action' | 'instruction'> {
  const { geomPosition, geomRotation } = workcell.world.views
  return {
    cell,
    bolt: truth.bolt,
    positions: Float32Array.from(geomPosition),
    rotations: Float32Array.from(geomRotation),
    hand: workcell.world.hand(),
    targets: targetsOf(truth),
  }
}

const onTheTable = ({ bolts, bolt }: Truth): boolean => {
  const [x, y, z] = bolts[bolt]!.position
  return Math.abs(x - 0.5) < 0.16 && Math.abs(y) < 0.22 && z > 0
}

/** The scene of a frame, coloured as the workcell colours it. Valid until the next call for the same cell. */
export function sceneAt({ scene, bodies, workcell }: PlayCell, { positions, rotations, bolt }: PlayFrame): Scene {
  scene.xpos = positions
  scene.xmat = rotations
  markActive(scene, bodies, bolt, workcell.options.bolts)
  return scene
}
