/** @file What a command changes: how far it moves the action the way that it asks for, against none and with the same noise. */
import { compile, input, mean, mul, type ParameterStore, type Program, sub, sum } from '../graph/index.ts'
import type { Figure } from '../metrics/figure.ts'
import { refinedNoise, refinementMean } from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { actingHeads, NOISE_SCALE, REFINEMENT_BOUND } from './actors.ts'
import { normalInput } from './batch.ts'
import { executedAnswer } from './executed.ts'
import type { UpdateReadings } from './measure.ts'
import type { MethodSettings } from './method.ts'
import type { Steps } from './steps.ts'
import { ToldStates, toldRows } from './told-states.ts'
import { visualInput } from './visual-input.ts'

export const RESPONSE: Figure = {
  name: 'refine.response',
  title: 'along each axis asked for',
  chart: 'Response to a command',
  unit: 'action units',
}

/**
 * E[(π(h; K(m+ξ)) - π(h; Kξ)) · d / |d|₁] over replay states of all tasks and commands of all directions d: 0 for an actor
 * that hears nothing. The heads are those that act.
 */
export class CommandResponse {
  private readonly told: ToldStates

  private constructor(
    readonly program: Program,
    private readonly settings: MethodSettings,
  ) {
    this.told = new ToldStates(settings)
  }

  static async compile(store: ParameterStore, settings: MethodSettings): Promise<CommandResponse> {
    const { sizes } = settings
    const rows = toldRows(settings)
    const seen = {
      features: input('said/features', [rows, sizes.cameras, sizes.channels, sizes.space]),
      h: input('said/h', [rows, sizes.embedding]),
    }
    const refine = store.tensors('refine')
    const command = input('said/command', [rows, sizes.command])
    const state = { h: seen.h, proprio: input('said/proprio', [rows, sizes.proprio]) }
    const answer = executedAnswer(actingHeads(store, sizes), sizes.network)
    const xi = normalInput('said', [rows, ACTION_WIDTH])
    const m = refinementMean(refine, visualInput(sizes, refine, seen), command, REFINEMENT_BOUND)
    const change = sub(answer(refinedNoise(NOISE_SCALE, m, xi), state), answer(mul(NOISE_SCALE, xi), state))
    const along = sum(mul(change, input('said/shift', [rows, ACTION_WIDTH])), [1])
    const outputs = { [RESPONSE.name]: mean(along) }
    return new CommandResponse(
      await compile({ name: 'command response', outputs, threads: settings.threads }),
      settings,
    )
  }

  /** Nothing before the refinement actor has begun to learn. */
  async measure(steps: Steps): Promise<UpdateReadings> {
    if (steps.replay.talkCount < this.settings.learner.refinement.startAfter) return {}
    this.told.draw(steps, this.program, (intent) => {
      const axes = intent.reduce((count, asked) => count + Math.abs(asked), 0)
      return intent.map((asked) => asked / axes)
    })
    await steps.runFilled(this.program)
    return { [RESPONSE.name]: this.program.outputs[RESPONSE.name]![0]! }
  }
}
