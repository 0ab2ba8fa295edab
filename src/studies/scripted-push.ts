/** @file A stand-in for the refinement actor that looks at nothing: what it would have to beat. */
import type { Policy } from '../learn/policy.ts'
import type { Translator } from '../talk/translator.ts'

/** Of a policy, what a robot needs. */
export type Steered = Pick<Policy, 'primary' | 'refined' | 'followsCommands'>

/** Where something is said, `shift` action units along each axis of it on top of what `policy` does by itself. */
export const scriptedPush = (
  policy: Pick<Policy, 'primary'>,
  translator: Pick<Translator, 'intent'>,
  shift: number,
): Steered => ({
  followsCommands: true,
  primary: (seen, xi) => policy.primary(seen, xi),
  async refined(seen, command, xi) {
    const asked = translator.intent(command)
    const action = await policy.primary(seen, xi)
    return action.map((entry, i) => Math.min(1, Math.max(-1, entry + shift * asked[i]!)))
  },
})
