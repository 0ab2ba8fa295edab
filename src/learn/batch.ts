/** @file The symbolic batch of one update: [task, batch, ...] as the replay fills it, with the noise that the losses draw. */
import { input, type Tensor } from '../graph/index.ts'
import { CONRFT_SCHEDULE } from '../nets/index.ts'
import type { RandomStream } from '../random/stream.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { ActorSizes } from './actors.ts'

type Buffers = Record<string, Float32Array | Int32Array>

/** Columns that the replay writes, names as in `TransitionRows`. */
export function transitionInputs(sizes: ActorSizes, tasks: number, batch: number) {
  const rows = [tasks, batch]
  const maps = [...rows, sizes.cameras, sizes.channels, sizes.space]
  const column = (name: string, ...width: number[]) => input(name, [...rows, ...width])
  return {
    h: column('h', sizes.embedding),
    features: input('features', maps),
    proprio: column('proprio', sizes.proprio),
    action: column('action', ACTION_WIDTH),
    reward: column('reward'),
    terminated: column('terminated'),
    discount: column('discount'),
    nextH: column('nextH', sizes.embedding),
    nextFeatures: input('nextFeatures', maps),
    nextProprio: column('nextProprio', sizes.proprio),
    mcReturn: column('mcReturn'),
    bcMask: column('bcMask'),
  }
}

/** Standard normal draws, named "xi/..." so that `drawNoise` finds them. */
export const normalInput = (name: string, shape: number[]): Tensor => input(`xi/${name}`, shape)

/** Uniform actions in [-1, 1], named "uniform/...". */
export const uniformInput = (name: string, shape: number[]): Tensor => input(`uniform/${name}`, shape)

/** Schedule indices 0..38: never sigma_min, which has an enormous weight and no gradient (docs/method.md §12). */
export const sigmaIndexInput = (shape: number[]): Tensor => input('index/sigma', shape, 'i32')

/** Fills every noise input of a program, in the order of its inputs. */
export function drawNoise(inputs: Buffers, random: RandomStream): void {
  for (const [name, buffer] of Object.entries(inputs)) {
    if (name.startsWith('xi/')) random.fillNormal(buffer as Float32Array)
    else if (name.startsWith('uniform/')) random.fillUniform(buffer as Float32Array, -1, 1)
    else if (name.startsWith('index/'))
      for (let i = 0; i < buffer.length; i++) buffer[i] = random.integer(CONRFT_SCHEDULE.numScales - 1)
  }
}
