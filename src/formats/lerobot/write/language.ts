/** @file What was said in an episode, as LeRobot's two language columns have it: on its frame, and what corrections stood for. */
import type { Step } from '../../../replay/episode.ts'
import type { Label } from '../../../talk/labels.ts'
import { NULL_COMMAND } from '../../../talk/vocabulary.ts'

/** `tool_calls` and `camera` belong to annotations that we make none of. */
type Row = { role: 'user'; content: string; camera: null; tool_calls: null }
export type LanguageEvent = Row & { style: 'interjection' }
export type LanguagePersistent = Row & { style: 'motion'; timestamp: number }

const said = (content: string): Row => ({ role: 'user', content, camera: null, tool_calls: null })

/** One list a step: a command on the step at which it began to hold, however long it held. */
export const eventsOf = (steps: readonly Pick<Step, 'command'>[]): LanguageEvent[][] =>
  steps.map(({ command }, t) =>
    command === null || command === steps[t - 1]?.command ? [] : [{ ...said(command), style: 'interjection' }],
  )

/**
 * Of a whole episode, each at the start of the steps that it labels: `labels` has one a step, null where nobody corrected. That a
 * correction moved nothing worth a word is no motion.
 */
export const motionsOf = (labels: readonly (Pick<Label, 'command'> | null)[], rate: number): LanguagePersistent[] =>
  labels.flatMap((label, t) =>
    label === null || label.command === NULL_COMMAND || label.command === labels[t - 1]?.command
      ? []
      : [{ ...said(label.command), style: 'motion', timestamp: Math.fround(t / rate) }],
  )
