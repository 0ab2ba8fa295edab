/** @file The order of Octo's tokens, and who of them sees whom. */
import type { OctoConfig } from './config.ts'

/** What a token belongs to. 'language' stands before the first step, 'said' is its repetition in each step. */
export type TokenGroup = 'language' | 'said' | 'proprio' | 'readout' | { camera: string }

export type Span = { group: TokenGroup; step: number; from: number; count: number } // step -1 before the first

export type Sequence = { spans: readonly Span[]; length: number; window: number }

/**
 * language | step 0: cameras, proprio, language again, readouts | step 1: ... Positions come from each group's own table,
 * so the order within a step is free.
 */
export function sequenceOf(
  config: OctoConfig,
  cameras: readonly { name: string; tokens: number }[],
  window: number,
  proprio = 0, // tokens of it
): Sequence {
  const spans: Span[] = []
  let length = 0
  const push = (group: TokenGroup, step: number, count: number) => {
    spans.push({ group, step, from: length, count })
    length += count
  }
  push('language', -1, config.words)
  for (let step = 0; step < window; step++) {
    for (const { name, tokens } of cameras) push({ camera: name }, step, tokens)
    if (proprio > 0) push('proprio', step, proprio)
    push('said', step, config.words)
    push('readout', step, config.readouts)
  }
  return { spans, length, window }
}

/** [length, length], query then key: 1 where a token may see another if that is present. */
export function structure({ spans, length }: Sequence): Float32Array {
  const seen = new Float32Array(length * length)
  for (const query of spans)
    for (const key of spans) {
      const visible = key.step <= query.step && (key.group !== 'readout' || query.group === 'readout')
      if (!visible) continue
      for (let row = query.from; row < query.from + query.count; row++)
        seen.fill(1, row * length + key.from, row * length + key.from + key.count)
    }
  return seen
}

export type Presence = {
  language: boolean
  steps: readonly boolean[] // padding before an episode's first frames is not there
  camera(name: string, step: number): boolean
}

export const ALL_PRESENT: Omit<Presence, 'steps'> = { language: true, camera: () => true }

/** [length]: 1 where a token may be seen at all. */
export function presence({ spans, length }: Sequence, { language, steps, camera }: Presence): Float32Array {
  const present = new Float32Array(length)
  for (const { group, step, from, count } of spans) {
    if (isPresent(group, step)) present.fill(1, from, from + count)
  }
  return present

  function isPresent(group: TokenGroup, step: number): boolean {
    if (group === 'readout') return true
    if (group === 'language' || group === 'said') return language
    return steps[step]! && (group === 'proprio' || camera(group.camera, step))
  }
}
