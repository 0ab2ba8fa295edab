/** @file The changes of meaning that `meanings.ts` makes: what, where, and the test that is to fail. */

export type Meaning = {
  what: string
  file: string
  from: string
  to: string
  test: string // the file that is to fail
  only?: string // of it, the tests with these words in their titles
}

const STEPS = 'tests/learn/steps.test.ts'
const SETUP = 'tests/run/learner-setup.test.ts'
const SHIFTS = 'tests/loop/perception.test.ts'

/** `from` stands once in src/`file`. */
export const MEANINGS: readonly Meaning[] = [
  {
    what: 'an extra critic step an update',
    file: 'learn/actor-critic.ts',
    from: 'learner.criticStepsPerActorStep - 1 : 0',
    to: 'learner.criticStepsPerActorStep : 0',
    test: STEPS,
    only: 'as in the paper of single',
  },
  {
    what: 'the null regulariser applied to the spoken command',
    file: 'learn/refinement-step.ts',
    from: 'm0: meanOf(nothing)',
    to: 'm0: m',
    test: STEPS,
    only: 'as in the paper of dual',
  },
  {
    what: "the refinement actor judged by the first task's critics only",
    file: 'learn/refinement-step.ts',
    from: 'ownTask![owner * batch + sample] = 1',
    to: 'ownTask![0 * owner + sample] = 1',
    test: STEPS,
    only: 'as in the paper of dual',
  },
  {
    what: 'λ of cloning and value swapped in the warm-up',
    file: 'run/learner-setup.ts',
    from: "'warm-up': { bc: warmUp.bcWeight, q: warmUp.qWeight }",
    to: "'warm-up': { bc: warmUp.qWeight, q: warmUp.bcWeight }",
    test: SETUP,
  },
  {
    what: 'replay returns with γ = 0.5, as set up',
    file: 'run/learner-setup.ts',
    from: 'discount: learner.discount,',
    to: 'discount: 0.5,',
    test: SETUP,
  },
  {
    what: 'replay returns with γ = 0.5, as computed',
    file: 'replay/buffer.ts',
    from: 'monteCarloReturns(rewards, discount)',
    to: 'monteCarloReturns(rewards, discount && 0.5)',
    test: 'tests/replay/buffer.test.ts',
  },
  {
    what: '`interventionShare` ignored',
    file: 'learn/steps.ts',
    from: 'demonstrationShare, interventionShare }',
    to: 'demonstrationShare, interventionShare: interventionShare && undefined }',
    test: STEPS,
    only: 'clones interventions',
  },
  {
    what: 'ceil for floor in the updates due',
    file: 'loop/update-schedule.ts',
    from: 'Math.floor(this.steps',
    to: 'Math.ceil(this.steps',
    test: 'tests/loop/update-schedule.test.ts',
  },
  {
    what: "radians for metres in the run's label rule",
    file: 'run/label-rule.ts',
    from: 'metresPerUnit: actionScale.translation',
    to: 'metresPerUnit: actionScale.rotation',
    test: SETUP,
  },
  {
    what: "radians for metres in the envelope's translation scale",
    file: 'robot/safety.ts',
    from: 'actionScale: this.spec.actionScale,\n      fault',
    to: 'actionScale: { ...this.spec.actionScale, translation: this.spec.actionScale.rotation },\n      fault',
    test: 'tests/robot/safety.test.ts',
  },
  {
    what: 'a step logged after the learner instead of before',
    file: 'loop/online-recorder.ts',
    from: 'this.log.step(step, next)\n    this.learner.step(this.start!.episode, step, seen)',
    to: 'this.learner.step(this.start!.episode, step, seen)\n    this.log.step(step, next)',
    test: 'tests/loop/online-recorder.test.ts',
  },
  {
    what: 'h taken from a shifted image',
    file: 'loop/perception.ts',
    from: 'h: encodings[0]!.h',
    to: 'h: encodings.at(-1)!.h',
    test: SHIFTS,
  },
  {
    what: 'shifts only right and down',
    file: 'loop/perception.ts',
    from: 'random.integer(2 * pixels + 1) - pixels',
    to: 'random.integer(2 * pixels + 1)',
    test: SHIFTS,
  },
  {
    what: 'actor codes of the log reordered',
    file: 'replay/transition.ts',
    from: "['primary', 'refinement', 'operator', ",
    to: "['refinement', 'primary', 'operator', ",
    test: 'tests/replay/golden-log.test.ts',
  },
  {
    what: 'an aborted trial counted as a failure',
    file: 'loop/evaluate.ts',
    from: 'if (summary.judged?.terminated !== false) return summary',
    to: 'return summary',
    test: 'tests/loop/evaluate.test.ts',
  },
  {
    what: 'free mode: parameters never reach the policy, between two steps',
    file: 'loop/update-schedule.ts',
    from: 'if (!this.lockStep) this.takeUp()',
    to: 'if (!this.lockStep) return',
    test: 'tests/loop/update-schedule.test.ts',
  },
  {
    what: 'free mode: parameters never reach the policy, at all',
    file: 'run/opening.ts',
    from: '(values) => policy.setParameters(values)',
    to: '(values) => void values',
    test: 'tests/run/free.test.ts',
  },
  {
    what: 'free mode: parameters never published',
    file: 'link/serve.ts',
    from: 'if (figures.update % publishEvery === 0) this.publish()',
    to: 'if (publishEvery === 0) this.publish()',
    test: 'tests/link/local.test.ts',
  },
  {
    what: 'the refinement program never released',
    file: 'learn/policy.ts',
    from: 'this.primaryProgram.release(), this.refinedProgram?.release()',
    to: 'this.primaryProgram.release()',
    test: 'tests/learn/release.test.ts',
  },
  {
    what: 'the slide scene never freed',
    file: 'robots/workcell/workcell.ts',
    from: 'for (const stage of Object.values(this.stages)) stage.world.free()',
    to: 'this.stages.bolts.world.free()',
    test: 'tests/robots/workcell/frees.test.ts',
  },
  {
    what: 'TD target from the online critics',
    file: 'learn/update.ts',
    from: "this.store.tensors(this.group, 'target')",
    to: 'this.store.tensors(this.group)',
    test: STEPS,
    only: 'as in the paper of single',
  },
  {
    what: "next action from s instead of s'",
    file: 'learn/actor-critic.ts',
    from: "update.normal('next')), update.nextH)",
    to: "update.normal('next')), update.h)",
    test: STEPS,
    only: 'as in the paper of single',
  },
  {
    what: 'the policy ranked above the operator',
    file: 'learn/ranking.ts',
    from: 'rankingLoss(q(done), q(policy),',
    to: 'rankingLoss(q(policy), q(done),',
    test: 'tests/learn/critic-rank.test.ts',
    only: 'that are told so',
  },
  {
    what: 'Cal-QL and TD swapped between the phases',
    file: 'learn/actor-critic.ts',
    from: "if (phase === 'online') {",
    to: "if (phase === 'warm-up') {",
    test: STEPS,
    only: 'as in the paper of single',
  },
]
