/**
 * @file The statistics of a set, kept up episode by episode: exact ones, quantiles among them. Columns stay sorted, so that one
 * more episode costs a merge and no sort of all.
 */

export type Statistics = Record<
  'min' | 'max' | 'mean' | 'std' | 'count' | 'q01' | 'q10' | 'q50' | 'q90' | 'q99',
  unknown
>

const QUANTILES = { q01: 0.01, q10: 0.1, q50: 0.5, q90: 0.9, q99: 0.99 } as const

/** One number a frame. */
export class NumberStatistics {
  private sorted = new Float64Array(0)
  private mean = 0
  private squares = 0 // sum of squared distances from the mean

  add(values: ArrayLike<number | boolean>): void {
    const news = Float64Array.from(values as ArrayLike<number>, Number).sort()
    if (news.length === 0) return
    const [before, after] = [this.sorted.length, this.sorted.length + news.length]
    const mean = news.reduce((sum, value) => sum + value, 0) / news.length
    const squares = news.reduce((sum, value) => sum + (value - mean) ** 2, 0)
    const apart = mean - this.mean
    this.squares += squares + (apart ** 2 * before * news.length) / after // Chan, Golub and LeVeque 1979
    this.mean += (apart * news.length) / after
    this.sorted = merged(this.sorted, news)
  }

  get count(): number {
    return this.sorted.length
  }

  get figures(): Record<Exclude<keyof Statistics, 'count'>, number> {
    const { sorted } = this
    const quantiles = Object.entries(QUANTILES).map(([name, q]) => [
      name,
      quantile(sorted.length, q, (i) => sorted[i]!),
    ])
    return {
      min: sorted[0]!,
      max: sorted.at(-1)!,
      mean: this.mean,
      std: Math.sqrt(this.squares / sorted.length),
      ...(Object.fromEntries(quantiles) as Record<keyof typeof QUANTILES, number>),
    }
  }
}

function merged(a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  const out = new Float64Array(a.length + b.length)
  for (let i = 0, j = 0, k = 0; k < out.length; k++)
    out[k] = j === b.length || (i < a.length && a[i]! <= b[j]!) ? a[i++]! : b[j++]!
  return out
}

/** Between its two neighbours in order, as numpy's default does. */
function quantile(count: number, q: number, at: (index: number) => number): number {
  const place = q * (count - 1)
  const below = Math.floor(place)
  const low = at(below)
  return low + (place - below) * (at(Math.min(below + 1, count - 1)) - low)
}

/** Of the entries of a column, one each; a flat list as LeRobot has them. */
export function statisticsOf(entries: readonly NumberStatistics[]): Statistics {
  const figures = entries.map((entry) => entry.figures)
  const rows = Object.keys(figures[0]!) as (keyof (typeof figures)[number])[]
  const lists = Object.fromEntries(rows.map((name) => [name, figures.map((own) => own[name])]))
  return { ...lists, count: [entries[0]!.count] } as Statistics
}

const LEVELS = 256

/** How often each level of each channel was seen, [3][256]: what a set knows of a camera's pictures. */
export type Levels = { frames: number; counts: number[][] }

export const noLevels = (): Levels => ({
  frames: 0,
  counts: Array.from({ length: 3 }, () => new Array<number>(LEVELS).fill(0)),
})

/** `pixels`: of one picture, RGB. */
export function countLevels(levels: Levels, pixels: Uint8Array): void {
  levels.frames++
  const [red, green, blue] = levels.counts as [number[], number[], number[]]
  for (let i = 0; i < pixels.length; i += 3) {
    red[pixels[i]!]!++
    green[pixels[i + 1]!]!++
    blue[pixels[i + 2]!]!++
  }
}

/** Per channel, scaled to 0..1, nested [3][1][1] as LeRobot has them. */
export function pictureStatistics({ frames, counts }: Levels): Statistics {
  const figures = counts.map(channelFigures)
  const nested = (name: keyof (typeof figures)[number]) => figures.map((own) => [[own[name]]])
  return {
    min: nested('min'),
    max: nested('max'),
    mean: nested('mean'),
    std: nested('std'),
    count: [frames],
    q01: nested('q01'),
    q10: nested('q10'),
    q50: nested('q50'),
    q90: nested('q90'),
    q99: nested('q99'),
  }
}

function channelFigures(counts: readonly number[]) {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const upTo: number[] = [] // pixels of this level or below
  for (const count of counts) upTo.push((upTo.at(-1) ?? 0) + count)
  const at = (index: number) => upTo.findIndex((below) => below > index) / (LEVELS - 1)
  const mean = counts.reduce((sum, count, level) => sum + count * level, 0) / total / (LEVELS - 1)
  const variance = counts.reduce((sum, count, level) => sum + count * (level / (LEVELS - 1) - mean) ** 2, 0) / total
  const quantiles = Object.fromEntries(Object.entries(QUANTILES).map(([name, q]) => [name, quantile(total, q, at)]))
  const [min, max] = [at(0), at(total - 1)]
  return { min, max, mean, std: Math.sqrt(variance), ...(quantiles as Record<keyof typeof QUANTILES, number>) }
}
