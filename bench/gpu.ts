/**
 * @file (p) Encoders and learner on a GPU, in less than eight minutes: each against the CPU in the same run. What is missing
 * is said, and nothing is measured in its place. On the CPU it is a rehearsal: smaller, and its figures are called that.
 */
import type { Device } from '../src/graph/index.ts'
import { encoderOn, GPU_ENCODERS, type GpuEncoder } from './gpu-encoders.ts'
import { learnerOn } from './gpu-learner.ts'
import { type GpuMeans, gpuMeans } from './gpu-means.ts'
import { piecewise } from './gpu-pieces.ts'
import { rounded } from './measure.ts'
import { type BenchSizes, SIZES } from './problem.ts'

/** What begins later is left out: the last piece that was begun, a large encoder say, still fits into eight minutes. */
const LATEST_BEGIN_SECONDS = 360

/** How much is done. `seconds`: each thing is measured for, or three rounds of it. */
type Extent = { sizes: BenchSizes; seconds: number; latest: number }
const WHOLE: Extent = { sizes: SIZES, seconds: 8, latest: LATEST_BEGIN_SECONDS }
const REHEARSAL: Extent = {
  sizes: { ...SIZES, batch: 8, channels: 32 },
  seconds: 0,
  latest: Number.POSITIVE_INFINITY,
}

type GpuOptions = {
  device?: Device
  say: (line: string) => void
  /** For tests. */
  means?: (device: Device) => Promise<GpuMeans>
  encoders?: readonly GpuEncoder[]
  extent?: Extent
}

/** No figures where the device does not compute. */
export async function benchGpu({
  device = 'cuda',
  say,
  means = gpuMeans,
  encoders = GPU_ENCODERS,
  extent = device === 'cpu' ? REHEARSAL : WHOLE,
}: GpuOptions): Promise<Record<string, number>> {
  const began = performance.now()
  const { lines, opens, torch } = await means(device)
  for (const line of lines) say(line)
  if (!opens) {
    say(
      `nothing was measured: ${device} is missing. \`npm run bench -- gpu --device cpu\` rehearses this part without a GPU`,
    )
    return {}
  }
  const isRehearsal = device === 'cpu'
  if (isRehearsal) say('a rehearsal on the CPU, smaller: none of these figures is one of a GPU')
  const label = isRehearsal ? 'Rehearsed' : device[0]!.toUpperCase() + device.slice(1)
  const { sizes, seconds, latest } = extent
  const took = () => (performance.now() - began) / 1000
  const piece = piecewise(say, () => took() > latest)

  const figures = await learnerOn({ device, label, sizes, seconds, torch, piece })
  for (const encoder of encoders)
    Object.assign(figures, await encoderOn(encoder, { device, label, seconds, piece, say }))
  return { ...figures, tookSeconds: rounded(took()) }
}
