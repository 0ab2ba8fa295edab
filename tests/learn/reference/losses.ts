/** @file The losses of the paper, one sample at a time (docs/method.md §4, §5, §6, §9, §12). Batches are read by name, noise included. */
import type { LearnerConfig } from '../../../src/learn/config.ts'
import type { ActorWeights } from '../../../src/learn/losses/index.ts'
import {
  act,
  condition,
  criticise,
  denoise,
  drawNoise,
  type Net,
  reconstructionWeight,
  refine,
  type State,
  sigmaAt,
} from './networks.ts'
import {
  add,
  clip,
  exp,
  log,
  maximum,
  mean,
  minimum,
  mul,
  plain,
  type Scalar,
  square,
  stopped,
  sub,
  total,
} from './tape.ts'

/** What one step is given: columns of its batch and its noise, [task, batch, ...] or [sample, ...] each. */
export type Given = Readonly<Record<string, ArrayLike<number>>>

/** tasks · batch rows; a flat critic knows one task. */
export type Setting = { learner: LearnerConfig; tasks: number; batch: number; members: number; gripperGain: number }

/** What the refinement actor's samples do not say themselves: the task of each, and how "[null]" is embedded. */
export type Talk = { taskOf: readonly number[]; silence: ArrayLike<number> }

const A = 7 // width of an action

const squaredDistance = (a: readonly Scalar[], b: readonly Scalar[]) =>
  total(a.map((value, i) => square(sub(value, b[i]!))))

/** Row `index` of a column that has `rows` of them. */
function rowOf(given: Given, name: string, rows: number, index: number): number[] {
  const column = given[name]
  if (!column || column.length % rows !== 0) throw new Error(`the step was not given ${rows} rows of ${name}`)
  const width = column.length / rows
  return Array.from({ length: width }, (_, i) => column[index * width + i]!)
}

/** `of` each row, by task. */
const byTask = <T>({ tasks, batch }: Setting, of: (task: number, row: number) => T): T[][] =>
  Array.from({ length: tasks }, (_, task) => Array.from({ length: batch }, (_, i) => of(task, task * batch + i)))

/** Reads the batch of a step. */
class Batch {
  private readonly rows: number
  private readonly blur: number
  constructor(
    private readonly given: Given,
    setting: Setting,
  ) {
    this.rows = setting.tasks * setting.batch
    this.blur = setting.learner.inputNoise
  }

  read(name: string, row: number): number[] {
    return rowOf(this.given, name, this.rows, row)
  }

  number(name: string, row: number): number {
    return this.read(name, row)[0]!
  }

  /** Columns that hold several draws a row, split into them. */
  draws(name: string, row: number): number[][] {
    const all = this.read(name, row)
    return Array.from({ length: all.length / A }, (_, k) => all.slice(k * A, (k + 1) * A))
  }

  /** What the critics see of s or s'. Feature maps are missing where nobody looks at them. */
  state(row: number, of: 's' | "s'" = 's'): State {
    const [h, features, proprio] = of === 's' ? ['h', 'features', 'proprio'] : ['nextH', 'nextFeatures', 'nextProprio']
    return {
      h: this.given[h!] ? this.read(h!, row) : [],
      features: this.given[features!] ? this.read(features!, row) : [],
      proprio: this.read(proprio!, row),
    }
  }

  /** What an actor sees of s while it learns: h, where anybody looks at it, and proprio with a little noise. */
  blurred(row: number): State {
    const state = this.state(row)
    if (this.blur === 0) return state
    const noisy = (name: 'h' | 'proprio') => {
      const noise = this.read(`xi/blur/${name}`, row)
      return state[name].map((x, i) => x + this.blur * noise[i]!)
    }
    return { ...state, h: this.given['xi/blur/h'] ? noisy('h') : state.h, proprio: noisy('proprio') }
  }

  conditionNow(head: Net, row: number): Scalar[] {
    const { h, proprio } = this.blurred(row)
    return condition(head, h, proprio)
  }

  conditionNext(head: Net, row: number): Scalar[] {
    const { h, proprio } = this.state(row, "s'")
    return condition(head, h, proprio)
  }
}

/** Mean over tasks of the mean over the samples that are cloned, 0 where a task has none. */
export function cloningLoss(head: Net, given: Given, setting: Setting): Scalar {
  const batch = new Batch(given, setting)
  const { bcTerm, noiseGain } = setting.learner
  const terms = byTask(setting, (_, row) => {
    if (batch.number('bcMask', row) === 0) return []
    const wanted = batch.read('action', row)
    const h = batch.conditionNow(head, row)
    const xi = bcTerm === 'direct' || noiseGain > 0 ? batch.read('xi/actor', row) : []
    const parts: Scalar[] = []
    if (bcTerm === 'direct') parts.push(squaredDistance(act(head, xi, h), wanted))
    else {
      const sigma = sigmaAt(batch.number('index/sigma', row))
      const epsilon = batch.read('xi/epsilon', row)
      const clean = denoise(
        head,
        wanted.map((a, i) => a + sigma * epsilon[i]!),
        sigma,
        h,
      )
      parts.push(mul(reconstructionWeight(sigma) / A, squaredDistance(clean, wanted)))
    }
    if (noiseGain > 0) {
      const asked = wanted.map((a, i) => Math.min(1, Math.max(-1, a + noiseGain * xi[i]!)))
      parts.push(mul(4, squaredDistance(act(head, xi, h), asked)))
    }
    return [total(parts)]
  })
  return mean(terms.map((rows) => (rows.flat().length ? mean(rows.flat()) : 0)))
}

const members = ({ members }: Setting) => Array.from({ length: members }, (_, m) => m)

/** λ1 BC - λ2 (1/N) Σ ε_i Q̄_i under the critics of each task, mean of members; no gradient reaches them or the ε_i. */
export function actorLoss(head: Net, critic: Net, given: Given, setting: Setting, lambda: ActorWeights) {
  const batch = new Batch(given, setting)
  const bc = cloningLoss(head, given, setting)
  const values = byTask(setting, (task, row) => {
    const action = act(head, batch.read('xi/actor', row), batch.conditionNow(head, row))
    return mean(members(setting).map((member) => criticise(critic, task, member, batch.state(row), action)))
  })
  const meanQ = values.map((rows) => mean(rows))
  const weight = weightsOf(stopped(meanQ), setting.learner.taskWeight)
  const q = mul(-1, mean(meanQ.map((value, task) => mul(weight[task]!, value))))
  return { bc, q, loss: add(mul(lambda.bc, bc), mul(lambda.q, q)), meanQ: stopped(meanQ), weight }
}

/** clip(Σ Q̄ / (N Q̄_i + N c)). */
function weightsOf(meanQ: readonly number[], { c, min, max }: LearnerConfig['taskWeight']): number[] {
  const positive = meanQ.map((q) => Math.max(q, 0))
  const sum = positive.reduce((a, b) => a + b, 0)
  const N = meanQ.length
  return positive.map((q) => Math.min(max, Math.max(min, sum / (N * q + N * c))))
}

/** (Q_m(s, a) - y)², y = r + γ (1 - terminated) min over the target members of Q'(s', a'), a' = `next(row)`; r and γ of all steps up to s'. */
export function tdLoss(
  critic: Net,
  target: Net,
  next: (row: number) => number[],
  given: Given,
  setting: Setting,
): Scalar {
  const batch = new Batch(given, setting)
  const errors = byTask(setting, (task, row) => {
    const action = next(row)
    const promised = members(setting)
      .map((member) => criticise(target, task, member, batch.state(row, "s'"), action))
      .reduce(minimum)
    const goesOn = 1 - batch.number('terminated', row)
    const ahead = batch.number('reward', row) + batch.number('discount', row) * goesOn * plain(promised)
    const y = setting.learner.boundedTargets ? Math.min(1, Math.max(0, ahead)) : ahead
    return members(setting).map((member) =>
      square(sub(criticise(critic, task, member, batch.state(row), batch.read('action', row)), y)),
    )
  })
  return mean(errors.flat(2))
}

/** a' of the present head at s', from noise of its own. */
export const nextOfHead = (head: Net, given: Given, setting: Setting) => (row: number) => {
  const batch = new Batch(given, setting)
  return stopped(act(head, batch.read('xi/next', row), batch.conditionNext(head, row)))
}

/** Log-sum-exp over actions from three sources, each Q raised to the return of s, minus Q(s, a). */
export function conservativeLoss(critic: Net, head: Net, given: Given, setting: Setting): Scalar {
  const batch = new Batch(given, setting)
  const ofConrft = setting.learner.conservativeForm === 'conrft'
  const terms = byTask(setting, (task, row) => {
    const [now, next] = [batch.conditionNow(head, row), batch.conditionNext(head, row)]
    const actions = [
      ...batch.draws('uniform/actions', row),
      ...batch.draws('xi/sampled', row).map((xi) => stopped(act(head, xi, now))),
      ...batch.draws('xi/sampledNext', row).map((xi) => stopped(act(head, xi, next))),
    ]
    if (actions.length !== 3 * setting.learner.conservativeSamples) throw new Error('another number of sampled actions')
    const floor = batch.number('mcReturn', row)
    return members(setting).map((member) => {
      const judge = (action: number[]) => criticise(critic, task, member, batch.state(row), action)
      const own = judge(batch.read('action', row))
      const raised = actions.map((action) => maximum(judge(action), floor))
      const entries = ofConrft ? [...raised, own] : raised
      const soft = log(total(entries.map(exp)))
      return sub(ofConrft ? sub(soft, Math.log(entries.length)) : soft, own)
    })
  })
  return mean(terms.flat(2))
}

/**
 * η1 BC - η2 Q + η3 Reg over talk-and-tweak samples, each judged by the critics of its own task; beyond the paper,
 * obedience to commands drawn for states of the replay.
 */
export function refinementLoss(
  net: Net,
  head: Net,
  critic: Net,
  given: Given,
  { learner, members: count }: Setting,
  { taskOf, silence }: Talk,
): Record<string, Scalar> & { loss: Scalar } {
  const { batch: samples, bcWeight, qWeight, nullWeight, obedience } = learner.refinement
  const plus = (a: readonly Scalar[], b: readonly number[]) => a.map((value, i) => add(value, b[i]!))
  const terms = Array.from({ length: samples }, (_, sample) => {
    const read = (name: string) => rowOf(given, name, samples, sample)
    const seen = { h: read('h'), features: given.features ? read('features') : [] }
    const [proprio, command] = [read('proprio'), read('command')]
    const h = stopped(condition(head, seen.h, proprio))
    const m = refine(net, seen, command)
    const action = act(head, plus(m, read('xi/refine')), h)
    const own = Array.from({ length: count }, (_, member) =>
      criticise(critic, taskOf[sample]!, member, { ...seen, proprio }, action),
    )
    const xi = read('xi/regular')
    const unasked = act(head, plus(refine(net, seen, Array.from(silence)), xi), h)
    return {
      bc: squaredDistance(action, read('action')),
      q: mul(-1, mean(own)),
      reg: squaredDistance(unasked, stopped(act(head, xi, h))),
    }
  })
  const [bc, q, reg] = (['bc', 'q', 'reg'] as const).map((part) => mean(terms.map((term) => term[part]))) as [
    Scalar,
    Scalar,
    Scalar,
  ]
  const paper = total([mul(bcWeight, bc), mul(qWeight, q), mul(nullWeight, reg)])
  if (obedience === 0) return { bc, q, reg, loss: paper }
  const rows = given['said/shift']!.length / A
  const obeyed = mean(
    Array.from({ length: rows }, (_, row) => {
      const read = (name: string) => rowOf(given, name, rows, row)
      const seen = { h: read('said/h'), features: given['said/features'] ? read('said/features') : [] }
      const h = stopped(condition(head, seen.h, read('said/proprio')))
      const [xi, shift] = [read('xi/said'), read('said/shift')]
      const asked = act(head, xi, h).map((a, i) => plain(clip(add(a, shift[i]!), -1, 1)))
      return squaredDistance(act(head, plus(refine(net, seen, read('said/command')), xi), h), asked)
    }),
  )
  return { bc, q, reg, obedience: obeyed, loss: add(paper, mul(obedience, obeyed)) }
}

/** DSRL's a' = f(K n') with n' of the noise actor at s'. */
export const nextOfNoise = (heads: readonly Net[], actor: Net, given: Given, setting: Setting) => (row: number) => {
  const batch = new Batch(given, setting)
  const { n } = drawNoise(actor, batch.state(row, "s'"), batch.read('xi/next', row))
  return execute(heads, stopped(n), (head) => batch.conditionNext(head, row), setting)
}

/** The mean of what the heads answer to one noise, as the robot executes it. */
function execute(
  heads: readonly Net[],
  n: readonly number[],
  conditionOf: (head: Net) => readonly Scalar[],
  { gripperGain }: Setting,
): number[] {
  const answers = heads.map((head) => stopped(act(head, n, conditionOf(head))))
  const mean = Array.from({ length: A }, (_, i) => answers.reduce((sum, a) => sum + a[i]!, 0) / heads.length)
  return mean.map((value, i) => Math.min(1, Math.max(-1, i === A - 1 ? gripperGain * value : value)))
}

/** (QW_m(s, n) - mean_k Q_k(s, f(K n)))². */
export function aliasLoss(
  noiseCritic: Net,
  critic: Net,
  heads: readonly Net[],
  given: Given,
  setting: Setting,
): Scalar {
  const batch = new Batch(given, setting)
  const errors = byTask(setting, (task, row) => {
    const n = batch.read('xi/alias', row)
    const action = execute(heads, n, (head) => batch.conditionNow(head, row), setting)
    const judged = mean(members(setting).map((member) => criticise(critic, task, member, batch.state(row), action)))
    return members(setting).map((member) =>
      square(sub(criticise(noiseCritic, task, member, batch.state(row), n), plain(judged))),
    )
  })
  return mean(errors.flat(2))
}

/** τ log p - mean_m QW_m(s, n), n of the noise actor. */
export function noiseActorLoss(actor: Net, noiseCritic: Net, temperature: number, given: Given, setting: Setting) {
  const batch = new Batch(given, setting)
  const samples = byTask(setting, (task, row) => {
    const seen = batch.blurred(row)
    const { n, logDensity } = drawNoise(actor, seen, batch.read('xi/actor', row))
    const q = mean(members(setting).map((member) => criticise(noiseCritic, task, member, batch.state(row), n)))
    return { logDensity, loss: sub(mul(temperature, logDensity), q) }
  }).flat()
  return { loss: mean(samples.map(({ loss }) => loss)), entropy: -plain(mean(samples.map((s) => s.logDensity))) }
}

/** exp(log τ) (entropy + A/2). */
export const temperatureLoss = (logTemperature: Scalar, entropy: number): Scalar =>
  mul(exp(logTemperature), entropy + A / 2)
