/** @file The networks of the paper over scalars, one sample at a time: head, critic, refinement actor, noise actor (docs/method.md §2, §3, §12). */
import { add, clip, div, dot, exp, log, mean, mul, type Scalar, sqrt, square, sub, tanh, total } from './tape.ts'

/** A group of parameters: tensors by name, each [...owners, ...], row-major in one run. */
export class Net {
  private readonly places = new Map<string, { shape: readonly number[]; from: number }>()

  constructor(
    shapes: Readonly<Record<string, readonly number[]>>,
    private readonly values: ArrayLike<Scalar>,
  ) {
    let from = 0
    for (const [name, shape] of Object.entries(shapes)) {
      this.places.set(name, { shape, from })
      from += shape.reduce((a, b) => a * b, 1)
    }
  }

  has(name: string): boolean {
    return this.places.has(name)
  }

  /** The part of a tensor that belongs to the owners, with its own shape. */
  of(name: string, owners: readonly number[]) {
    const { shape, from } = this.places.get(name)!
    const own = shape.slice(owners.length)
    const size = own.reduce((a, b) => a * b, 1)
    const index = owners.reduce((sum, owner, axis) => sum * shape[axis]! + owner, 0)
    return { shape: own, at: (i: number): Scalar => this.values[from + index * size + i]! }
  }
}

type Owners = readonly number[]

function dense(net: Net, name: string, x: readonly Scalar[], owners: Owners = []): Scalar[] {
  const kernel = net.of(`${name}.kernel`, owners)
  const bias = net.of(`${name}.bias`, owners)
  const width = bias.shape[0]!
  if (kernel.shape[0] !== x.length) throw new Error(`${name} takes ${kernel.shape[0]} inputs, not ${x.length}`)
  const column = (j: number) => x.map((_, i) => kernel.at(i * width + j))
  return Array.from({ length: width }, (_, j) => add(dot(x, column(j)), bias.at(j)))
}

/** tanh(scale · (y - mean) / sqrt(variance + 1e-6) + bias), y = dense(x). */
function block(net: Net, name: string, x: readonly Scalar[], owners: Owners = []): Scalar[] {
  const y = dense(net, `${name}.dense`, x, owners)
  const centre = mean(y)
  const spread = sqrt(add(mean(y.map((value) => square(sub(value, centre)))), 1e-6))
  const [scale, bias] = [net.of(`${name}.norm.scale`, owners), net.of(`${name}.norm.bias`, owners)]
  return y.map((value, i) => tanh(add(mul(div(sub(value, centre), spread), scale.at(i)), bias.at(i))))
}

const trunk = (net: Net, x: readonly Scalar[], owners: Owners = []) =>
  block(net, 'trunk.1', block(net, 'trunk.0', x, owners), owners)

/** What is seen of a state: feature maps [camera, channel, space] and h [H]. */
export type Seen = { features: readonly number[]; h: readonly number[] }

/** The pooled maps: Σ_s map[camera, channel, s] kernel[camera, channel, s, k], then a block; or h where nothing is pooled. */
function sight(net: Net, { features, h }: Seen, owners: Owners = []): readonly Scalar[] {
  if (!net.has('spatial.kernel')) return h
  const kernel = net.of('spatial.kernel', owners)
  const [cameras, channels, space, embeddings] = kernel.shape as [number, number, number, number]
  const pooled: Scalar[] = []
  for (let map = 0; map < cameras * channels; map++)
    for (let k = 0; k < embeddings; k++) {
      const pixels = features.slice(map * space, (map + 1) * space)
      pooled.push(
        dot(
          pixels,
          pixels.map((_, s) => kernel.at((map * space + s) * embeddings + k)),
        ),
      )
    }
  return block(net, 'spatial.bottleneck', pooled, owners)
}

// ConRFT's schedule: 40 scales from 80 down to 0.002, rho 7, sigma_data 0.5
const [SCALES, LARGEST, SMALLEST, RHO, DATA] = [40, 80, 0.002, 7, 0.5]

/** K: the noise scale. */
export const K = LARGEST

export const sigmaAt = (index: number): number =>
  (LARGEST ** (1 / RHO) + (index / (SCALES - 1)) * (SMALLEST ** (1 / RHO) - LARGEST ** (1 / RHO))) ** RHO

/** 1/σ² + 1/σ_d². */
export const reconstructionWeight = (sigma: number): number => 1 / sigma ** 2 + 1 / DATA ** 2

/** [h, projected proprio]. */
export const condition = (head: Net, h: readonly number[], proprio: readonly number[]): Scalar[] => [
  ...h,
  ...block(head, 'proprio', proprio),
]

/** clip(c_skip x + c_out F(c_in x, emb(250 ln σ), h)). */
export function denoise(head: Net, x: readonly Scalar[], sigma: number, h: readonly Scalar[]): Scalar[] {
  const skip = DATA ** 2 / ((sigma - SMALLEST) ** 2 + DATA ** 2)
  const out = ((sigma - SMALLEST) * DATA) / Math.sqrt(sigma ** 2 + DATA ** 2)
  const into = 1 / Math.sqrt(sigma ** 2 + DATA ** 2)
  const angles = Array.from({ length: 8 }, (_, k) => 250 * Math.log(sigma) * 10000 ** (-k / 7))
  const time = dense(
    head,
    'time.1',
    dense(head, 'time.0', [...angles.map(Math.sin), ...angles.map(Math.cos)]).map(tanh),
  )
  const F = dense(head, 'out', trunk(head, [...x.map((value) => mul(into, value)), ...time, ...h]))
  return F.map((value, i) => clip(add(mul(skip, x[i]!), mul(out, value)), -1, 1))
}

/** π(h; K n): one step from the largest σ. n in units of K. */
export const act = (head: Net, n: readonly Scalar[], h: readonly Scalar[]): Scalar[] =>
  denoise(
    head,
    n.map((value) => mul(K, value)),
    LARGEST,
    h,
  )

/** A state as a critic sees it. */
export type State = Seen & { proprio: readonly number[] }

/** Q of one task and member. */
export function criticise(net: Net, task: number, member: number, state: State, action: readonly Scalar[]): Scalar {
  const owners = [task, member]
  const joined = [
    ...sight(net, state, [task]),
    ...block(net, 'proprio', state.proprio, owners),
    ...block(net, 'action', action, owners),
  ]
  return dense(net, 'out', trunk(net, joined, owners), owners)[0]!
}

/** m = μ/K = 3 tanh(u/3). */
export function refine(net: Net, seen: Seen, command: readonly number[]): Scalar[] {
  const joined = [...block(net, 'image', sight(net, seen)), ...block(net, 'text', command)]
  return dense(net, 'out', trunk(net, joined)).map((u) => mul(3, tanh(div(u, 3))))
}

/** DSRL: n = 1.5 tanh(u), u ~ N(mean, std²), with ln p of tanh u; the naive ln(1 - tanh² u), for u is small here. */
export function drawNoise(net: Net, state: State, xi: readonly number[]): { n: Scalar[]; logDensity: Scalar } {
  const y = trunk(net, [...sight(net, state), ...state.h, ...block(net, 'proprio', state.proprio)])
  const logStd = dense(net, 'log_std', y).map((value) => clip(value, -5, 2))
  const u = dense(net, 'mean', y).map((value, i) => add(value, mul(exp(logStd[i]!), xi[i]!)))
  const terms = u.map((value, i) =>
    sub(sub(-0.5 * xi[i]! ** 2 - 0.5 * Math.log(2 * Math.PI), logStd[i]!), log(sub(1, square(tanh(value))))),
  )
  return { n: u.map((value) => mul(1.5, tanh(value))), logDensity: total(terms) }
}
