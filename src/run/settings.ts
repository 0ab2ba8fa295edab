/** @file The settings by their names, read off the schema: which there are, what they mean, and what the one may be that somebody meant. */
import { z } from 'zod'
import { RunConfig } from './config.ts'

/** The objects that a type may be: itself, or the alternatives of a union; none for anything else. */
export function alternativesOf(type: z.ZodType): z.ZodObject[] {
  const inner = unwrap(type)
  if (inner instanceof z.ZodObject) return [inner]
  return inner instanceof z.ZodDiscriminatedUnion ? (inner.options as z.ZodObject[]) : []
}

/** Dotted names of all settings; of alternatives those of all of them. */
export function settingNames(shape: z.ZodType = RunConfig, prefix = ''): string[] {
  const alternatives = alternativesOf(shape)
  if (alternatives.length === 0) return [prefix]
  const names = alternatives.flatMap((object) =>
    Object.entries(object.shape).flatMap(([key, child]) =>
      settingNames(child as z.ZodType, prefix ? `${prefix}.${key}` : key),
    ),
  )
  return [...new Set(names)]
}

/** The settings as lines "name  default  meaning", for help texts. */
export function describeSettings(): { name: string; value: unknown; text: string; mayChange: boolean }[] {
  const defaults = RunConfig.parse({})
  return settingNames().map((name) => {
    const value = name.split('.').reduce<unknown>((object, key) => (object as Record<string, unknown>)?.[key], defaults)
    return { name, value, text: descriptionOf(name), mayChange: mayChange(name) === true }
  })
}

export function descriptionOf(name: string): string {
  const at = typeWithin(RunConfig, name.split('.'))
  return at ? (at.description ?? unwrap(at).description ?? '') : ''
}

/** Whether a resumed run takes this setting anew: as it says itself, or else its group. Undefined where nobody says. */
export function mayChange(name: string): boolean | undefined {
  const path = name.split('.')
  const above = path.map((_, depth) => typeAt(path.slice(0, path.length - depth))) // the setting itself first
  return above.map(saysOfChange).find((said) => said !== undefined)
}

function saysOfChange(type: z.ZodType): boolean | undefined {
  const said = type.meta()?.mayChange as boolean | undefined
  return said ?? (isWrapper(type) ? saysOfChange(type.unwrap()) : undefined)
}

/** The type of a setting; of alternatives the first that has all of its path. */
export function typeAt(path: readonly string[]): z.ZodType {
  return typeWithin(RunConfig, path)!
}

function typeWithin(type: z.ZodType, [key, ...rest]: readonly string[]): z.ZodType | undefined {
  if (key === undefined) return type
  for (const { shape } of alternativesOf(type)) {
    const found = key in shape && typeWithin(shape[key] as z.ZodType, rest)
    if (found) return found
  }
  return undefined
}

/** Default, optional and the like; an array is a value. */
const isWrapper = (type: z.ZodType): type is z.ZodType & { unwrap(): z.ZodType } =>
  'unwrap' in type && typeof type.unwrap === 'function' && !(type instanceof z.ZodArray)

export const unwrap = (type: z.ZodType): z.ZodType => (isWrapper(type) ? unwrap(type.unwrap()) : type)

/** The candidate with the least edit distance, with a bonus for the same last word. */
export function nearestOf(word: string, candidates: readonly string[]): string {
  const last = (text: string) => text.split('.').at(-1)!
  const score = (candidate: string) => editDistance(word, candidate) + 2 * editDistance(last(word), last(candidate))
  const scored = candidates.map((candidate) => ({ candidate, score: score(candidate) }))
  return scored.reduce((best, next) => (next.score < best.score ? next : best)).candidate
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]!
}
