/** @file The Karras noise schedule of the consistency policy: scales, boundary scalings, weights, time features (docs/method.md §3). */
import { InputError } from '../errors.ts'
import { constant, gather, type Tensor } from '../graph/index.ts'

export type ScheduleSettings = {
  numScales: number
  sigmaMin: number
  sigmaMax: number
  rho: number
  sigmaData: number
  timeWidth: number // width of the sinusoidal time features, even
}

/** ConRFT's values. */
export const CONRFT_SCHEDULE: ScheduleSettings = {
  numScales: 40,
  sigmaMin: 0.002,
  sigmaMax: 80,
  rho: 7,
  sigmaData: 0.5,
  timeWidth: 16,
}

/** Index 0 is sigma_max, the last is sigma_min. Everything is computed in double precision, once. */
export type ConsistencySchedule = ScheduleSettings & { readonly sigmas: Float64Array }

/** What the head needs to know of a noise level: [1] or one row a sample [..., 1]; timeFeatures [..., timeWidth]. */
export type NoiseLevel = {
  sigma: Tensor
  skip: Tensor // c_skip
  out: Tensor // c_out
  in: Tensor // c_in
  weight: Tensor // Karras weight of the reconstruction term
  timeFeatures: Tensor
}

/** sigma_k = (smax^(1/rho) + k/(n-1) (smin^(1/rho) - smax^(1/rho)))^rho. @throws InputError on unusable settings */
export function consistencySchedule(settings: ScheduleSettings): ConsistencySchedule {
  const { numScales, sigmaMin, sigmaMax, rho, timeWidth } = settings
  if (!(numScales >= 2 && sigmaMin > 0 && sigmaMax > sigmaMin && timeWidth >= 4 && timeWidth % 2 === 0)) {
    const got = JSON.stringify(settings)
    throw new InputError(
      'schedule',
      `is ${got}`,
      'Use numScales >= 2, 0 < sigmaMin < sigmaMax and an even timeWidth >= 4',
    )
  }
  const largest = sigmaMax ** (1 / rho)
  const smallest = sigmaMin ** (1 / rho)
  const sigmas = Float64Array.from({ length: numScales }, (_, k) => {
    return (largest + (k / (numScales - 1)) * (smallest - largest)) ** rho
  })
  return { ...settings, sigmas }
}

/** c_skip = sd² / ((s - smin)² + sd²), c_out = (s - smin) sd / sqrt(s² + sd²), c_in = 1 / sqrt(s² + sd²), 1/s² + 1/sd². */
export function scalings({ sigmaMin, sigmaData }: ScheduleSettings, sigma: number) {
  const excess = sigma - sigmaMin
  const norm = Math.sqrt(sigma ** 2 + sigmaData ** 2)
  return {
    skip: sigmaData ** 2 / (excess ** 2 + sigmaData ** 2),
    out: (excess * sigmaData) / norm,
    in: 1 / norm,
    weight: 1 / sigma ** 2 + 1 / sigmaData ** 2,
  }
}

/** t = 250 ln sigma: the time that the features encode. */
export const scaledTime = (sigma: number) => 250 * Math.log(sigma)

/** [sin(t f_k), cos(t f_k)], f_k = 10000^(-k / (half - 1)), half = width / 2. In double: float32 would cost 6e-5. */
export function timeFeatures(sigma: number, width: number): number[] {
  const half = width / 2
  const angles = Array.from({ length: half }, (_, k) => scaledTime(sigma) * 10000 ** (-k / (half - 1)))
  return [...angles.map(Math.sin), ...angles.map(Math.cos)]
}

/** The levels of given sigmas as constants, one row each: [n, 1] and [n, timeWidth]. */
export function levelsOf(schedule: ScheduleSettings, sigmas: ArrayLike<number>): NoiseLevel {
  const values = Array.from(sigmas)
  const rows = values.map((sigma) => scalings(schedule, sigma))
  const column = (data: number[]) => constant(data, [values.length, 1])
  const features = values.flatMap((sigma) => timeFeatures(sigma, schedule.timeWidth))
  return {
    sigma: column(values),
    skip: column(rows.map((row) => row.skip)),
    out: column(rows.map((row) => row.out)),
    in: column(rows.map((row) => row.in)),
    weight: column(rows.map((row) => row.weight)),
    timeFeatures: constant(features, [values.length, schedule.timeWidth]),
  }
}

/** The level at which one-step policies run: sigma_max, a constant that broadcasts over samples. */
export const largestLevel = (schedule: ConsistencySchedule): NoiseLevel => levelsOf(schedule, [schedule.sigmaMax])

/** The levels of schedule indices (int32, any shape), gathered from tables. */
export function levelsAt(schedule: ConsistencySchedule, index: Tensor): NoiseLevel {
  const table = levelsOf(schedule, schedule.sigmas)
  return {
    sigma: gather(table.sigma, index),
    skip: gather(table.skip, index),
    out: gather(table.out, index),
    in: gather(table.in, index),
    weight: gather(table.weight, index),
    timeFeatures: gather(table.timeFeatures, index),
  }
}

/** Indices of several-step sampling: floor(k · numScales / steps). */
export const stepIndices = (schedule: ConsistencySchedule, steps: number): number[] =>
  Array.from({ length: steps }, (_, k) => Math.floor((k * schedule.numScales) / steps))
