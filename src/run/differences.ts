/** @file Nested settings as dotted names, and where two of them differ. */

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `{ a: { b: 1 } }` as `{ 'a.b': 1 }`; lists are values. */
export function flatSettings(settings: unknown, prefix = ''): Record<string, unknown> {
  if (!isGroup(settings)) return { [prefix]: settings }
  const parts = Object.entries(settings).map(([key, value]) => flatSettings(value, prefix ? `${prefix}.${key}` : key))
  return Object.assign({}, ...parts)
}

export type Difference = { name: string; first: unknown; second: unknown }

/** In the order of the first, then what only the second has. A setting that is undefined is as good as absent. */
export function differences(first: unknown, second: unknown): Difference[] {
  const [a, b] = [flatSettings(first), flatSettings(second)]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
    .map((name) => ({ name, first: a[name], second: b[name] }))
}
