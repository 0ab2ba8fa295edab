/** @file Numbers that remember where they came from: reverse-mode differentiation of scalars in double precision. */

let made = 0

/** A number that depends on what is differentiated for. */
export class Value {
  readonly order = made++
  gradient = 0
  constructor(
    readonly value: number,
    readonly parents: readonly Value[] = [],
    readonly slopes: readonly number[] = [],
  ) {}
}

/** A plain number is a constant: frozen parameters, data, noise, and whatever a gradient stops at. */
export type Scalar = number | Value

export const plain = (x: Scalar): number => (typeof x === 'number' ? x : x.value)

function node(value: number, ...dependencies: [Scalar, slope: number][]): Scalar {
  const live = dependencies.filter((pair): pair is [Value, number] => pair[0] instanceof Value)
  return live.length
    ? new Value(
        value,
        live.map(([x]) => x),
        live.map(([, slope]) => slope),
      )
    : value
}

export const add = (a: Scalar, b: Scalar) => node(plain(a) + plain(b), [a, 1], [b, 1])
export const sub = (a: Scalar, b: Scalar) => node(plain(a) - plain(b), [a, 1], [b, -1])
export const mul = (a: Scalar, b: Scalar) => node(plain(a) * plain(b), [a, plain(b)], [b, plain(a)])
export const div = (a: Scalar, b: Scalar) =>
  node(plain(a) / plain(b), [a, 1 / plain(b)], [b, -plain(a) / plain(b) ** 2])
export const square = (a: Scalar) => mul(a, a)

const unary = (f: (x: number) => number, slope: (x: number, y: number) => number) => (a: Scalar) => {
  const x = plain(a)
  const y = f(x)
  return node(y, [a, slope(x, y)])
}
export const tanh = unary(Math.tanh, (_, y) => 1 - y * y)
export const exp = unary(Math.exp, (_, y) => y)
export const log = unary(Math.log, (x) => 1 / x)
export const sqrt = unary(Math.sqrt, (_, y) => 0.5 / y)

/** The gradient passes inside, edges included, and stops outside. */
export const clip = (a: Scalar, low: number, high: number) =>
  unary(
    (x) => Math.min(high, Math.max(low, x)),
    (x) => (x >= low && x <= high ? 1 : 0),
  )(a)

export const maximum = (a: Scalar, b: Scalar) => (plain(a) >= plain(b) ? a : b)
export const minimum = (a: Scalar, b: Scalar) => (plain(a) <= plain(b) ? a : b)

export const total = (xs: readonly Scalar[]) =>
  node(
    xs.reduce<number>((sum, x) => sum + plain(x), 0),
    ...xs.map((x): [Scalar, number] => [x, 1]),
  )
export const mean = (xs: readonly Scalar[]) => mul(total(xs), 1 / xs.length)

/** Σ a_i b_i. */
export const dot = (a: readonly Scalar[], b: readonly Scalar[]) =>
  node(
    a.reduce<number>((sum, x, i) => sum + plain(x) * plain(b[i]!), 0),
    ...a.map((x, i): [Scalar, number] => [x, plain(b[i]!)]),
    ...b.map((x, i): [Scalar, number] => [x, plain(a[i]!)]),
  )

/** Stops the gradient. */
export const stopped = (xs: readonly Scalar[]): number[] => xs.map(plain)

/** d loss / d leaf. A leaf may not serve two losses. */
export function gradientsOf(loss: Scalar, leaves: readonly Value[]): Float64Array {
  const reached = new Set<Value>()
  const open = loss instanceof Value ? [loss] : []
  for (let next = open.pop(); next; next = open.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    open.push(...next.parents)
  }
  if (loss instanceof Value) loss.gradient = 1
  for (const { parents, slopes, gradient } of [...reached].sort((a, b) => b.order - a.order))
    for (const [i, parent] of parents.entries()) parent.gradient += slopes[i]! * gradient
  return Float64Array.from(leaves, (leaf) => leaf.gradient)
}
