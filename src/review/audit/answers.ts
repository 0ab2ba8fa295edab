/** @file What a person answered on the audit page, and what it comes to. */
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { directionAsked, type Translator } from '../../talk/translator.ts'
import type { Direction } from '../../talk/vocabulary.ts'
import { type Rate, rate } from './agreement.ts'
import { type Correction, type Displacement, episodeKey } from './triplets.ts'

const Answer = z.discriminatedUnion('answer', [
  z.strictObject({ key: z.string(), label: z.string(), answer: z.literal('yes') }),
  z.strictObject({ key: z.string(), label: z.string(), answer: z.literal('no') }),
  z.strictObject({ key: z.string(), label: z.string(), answer: z.literal('edit'), command: z.string() }),
])

const Answers = z.strictObject({
  format: z.literal('duet label audit'),
  run: z.string(),
  seed: z.number(),
  window: z.number(),
  threshold: z.number(),
  answers: z.array(Answer),
})
export type Answers = z.infer<typeof Answers>

/** @throws InputError unless the file is what the page saves */
export function readAnswers(file: string): Answers {
  const remedy = 'Give the file that the audit page saved'
  if (!existsSync(file)) throw new InputError(file, 'is missing', remedy)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new InputError(file, 'is not JSON', remedy, { cause })
  }
  const result = Answers.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new InputError(file, `field "${issue.path.join('.')}": ${issue.message}`, remedy)
}

export type AuditAnswer = {
  agreed: Rate
  no: number
  edited: number
  /** Answers that name a command (yes and edit), to try other thresholds on. */
  meant: { delta: Displacement; meant: Direction }[]
}

/** @throws InputError if an answer is about a step or a label that the log does not have, or names what is no command */
export function judgeAnswers(
  { answers }: Answers,
  corrections: readonly Correction[],
  translator: Translator,
): AuditAnswer {
  const byKey = new Map(corrections.map((correction) => [correction.key, correction]))
  const meant: AuditAnswer['meant'] = []
  const judged: { answer: string; group: string }[] = []
  for (const given of answers) {
    const correction = byKey.get(given.key)
    if (!correction || correction.label.command !== given.label)
      throw new InputError(
        `answer ${given.key}`,
        correction ? `is about "${given.label}", the log says "${correction.label.command}"` : 'is not in the log',
        'Give the answers of this run, and its own threshold and window',
      )
    if (given.answer === 'edit' && !translator.commands.all.includes(given.command))
      throw new InputError(`answer ${given.key}`, `"${given.command}" is no command`, "Choose one of the page's list")
    judged.push({ answer: given.answer, group: episodeKey(correction) })
    const command = given.answer === 'yes' ? given.label : given.answer === 'edit' ? given.command : null
    if (command !== null) meant.push({ delta: correction.label.delta, meant: directionAsked(translator, command) })
  }
  const counted = (answer: string) => answers.filter((given) => given.answer === answer).length
  return { agreed: rate(judged, ({ answer }) => answer === 'yes'), no: counted('no'), edited: counted('edit'), meant }
}
