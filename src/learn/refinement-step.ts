/** @file The refinement actor's step on talk-and-tweak samples of all tasks; head and critics are frozen in it (docs/method.md §6). */
import {
  abs,
  add,
  compile,
  constant,
  input,
  mean,
  mul,
  type ParameterStore,
  type Program,
  type Tensor,
  unsqueeze,
} from '../graph/index.ts'
import {
  CONRFT_SCHEDULE,
  conditioning,
  consistencySchedule,
  critic,
  denoiser,
  type Parameters,
  policyOf,
  refinementMean,
} from '../nets/index.ts'
import type { TalkRows } from '../replay/buffer.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { NOISE_SCALE, REFINEMENT_BOUND } from './actors.ts'
import { normalInput } from './batch.ts'
import { obedienceTerm, REFINEMENT, refinementLoss, valueOfOwnTask } from './losses/index.ts'
import { gradientNorms, outputsOf, read, type UpdateReadings } from './measure.ts'
import type { MethodSettings } from './method.ts'
import type { Steps } from './steps.ts'
import { ToldStates, toldRows } from './told-states.ts'
import { visualInput } from './visual-input.ts'

export const REFINEMENT_FIGURES = Object.values(REFINEMENT)

/** Its steps begin when the talk-and-tweak dataset is large enough. */
export class RefinementSteps {
  private readonly told: ToldStates

  private constructor(
    readonly program: Program,
    private readonly settings: MethodSettings,
  ) {
    this.told = new ToldStates(settings)
  }

  static async compile(store: ParameterStore, settings: MethodSettings): Promise<RefinementSteps> {
    return new RefinementSteps(await compileRefinementStep(store, settings), settings)
  }

  /** One step; undefined while there are too few samples. */
  async take(steps: Steps): Promise<UpdateReadings | undefined> {
    const { batch, obedience, shift, startAfter } = this.settings.learner.refinement
    if (steps.replay.talkCount < startAfter) return undefined
    const { h, features, proprio, action, command, ownTask } = this.program.inputs as Record<string, Float32Array>
    const task = new Int32Array(batch)
    const rows: TalkRows = { h: h!, features, proprio: proprio!, action: action!, command: command!, task }
    steps.replay.sampleTalk(batch, steps.sampling, rows)
    ownTask!.fill(0)
    for (const [sample, owner] of task.entries()) ownTask![owner * batch + sample] = 1
    if (obedience > 0) this.told.draw(steps, this.program, (intent) => intent.map((asked) => asked * shift))
    await steps.runFilled(this.program)
    return { ...read(this.program, REFINEMENT_FIGURES), ...gradientNorms({ refine: steps.apply('refine') }) }
  }
}

function compileRefinementStep(store: ParameterStore, settings: MethodSettings): Promise<Program> {
  const { sizes, tasks, learner, commands, translator } = settings
  const { batch, bcWeight, qWeight, nullWeight, obedience } = learner.refinement
  const [head, criticParameters, refine] = [store.tensors('head'), store.tensors('critic'), store.tensors('refine')]
  const h = input('h', [batch, sizes.embedding])
  const proprio = input('proprio', [batch, sizes.proprio])
  const features = input('features', [batch, sizes.cameras, sizes.channels, sizes.space])
  const command = input('command', [batch, sizes.command])
  const ownTask = input('ownTask', [tasks, batch])
  const nothing = constant(commands.embed(translator.commands.nothing), [1, sizes.command])
  const actions = input('action', [batch, ACTION_WIDTH])
  const noise = (name: string) => normalInput(name, [batch, ACTION_WIDTH])
  const pooled = visualInput(sizes, refine, { features, h })
  const meanOf = (said: Tensor) => refinementMean(refine, pooled, said, REFINEMENT_BOUND)
  const m = meanOf(command)
  const state = {
    features: visualInput(sizes, criticParameters, { features: unsqueeze(features, 0), h: unsqueeze(h, 0) }),
    proprio: unsqueeze(proprio, 0),
  }
  const terms = refinementLoss(
    policyOf(denoiser(head), consistencySchedule(CONRFT_SCHEDULE)),
    NOISE_SCALE,
    { h: conditioning(head, h, proprio), actions, xi: noise('refine'), xiReg: noise('regular') },
    { m, m0: meanOf(nothing) },
    (action) => valueOfOwnTask(critic(criticParameters, state, unsqueeze(action, 0)), ownTask),
    { bc: bcWeight, q: qWeight, reg: nullWeight },
  )
  const obeyed = obedience > 0 ? obedienceOf(head, refine, settings) : undefined
  const loss = obeyed ? add(terms.loss, mul(obedience, obeyed)) : terms.loss
  return compile({
    name: 'refinement step',
    outputs: outputsOf([
      [REFINEMENT.loss, loss],
      [REFINEMENT.bc, terms.bc],
      [REFINEMENT.q, terms.q],
      [REFINEMENT.reg, terms.reg],
      [REFINEMENT.meanMu, mean(abs(m))],
      ...(obeyed ? [[REFINEMENT.obedience, obeyed] as const] : []),
    ]),
    gradients: [{ store, group: 'refine', loss }],
    threads: settings.threads,
  })
}

/** The self-supervised command term on replay states of all tasks, under commands that the learner draws. */
function obedienceOf(head: Parameters, refine: Parameters, settings: MethodSettings): Tensor {
  const { sizes } = settings
  const rows = toldRows(settings)
  const features = input('said/features', [rows, sizes.cameras, sizes.channels, sizes.space])
  const command = input('said/command', [rows, sizes.command])
  const seen = { features, h: input('said/h', [rows, sizes.embedding]) }
  const h = conditioning(head, seen.h, input('said/proprio', [rows, sizes.proprio]))
  return obedienceTerm(policyOf(denoiser(head), consistencySchedule(CONRFT_SCHEDULE)), NOISE_SCALE, {
    h,
    xi: normalInput('said', [rows, ACTION_WIDTH]),
    m: refinementMean(refine, visualInput(sizes, refine, seen), command, REFINEMENT_BOUND),
    shift: input('said/shift', [rows, ACTION_WIDTH]),
  })
}
