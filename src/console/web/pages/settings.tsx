/** @file The run's settings as they were resolved, and how this page looks. */
import { useState } from 'preact/hooks'
import { Choice } from '../parts/choice.tsx'
import { useModel } from '../parts/context.ts'

const THEMES = ['system', 'light', 'dark'] as const

export function SettingsPage() {
  const settings = useModel((model) => model.hello?.settings)
  const [theme, setTheme] = useState(localStorage.getItem('theme') ?? 'system')
  const [filter, setFilter] = useState('')
  const rows = flatten(settings ?? {}).filter(([name]) => name.toLowerCase().includes(filter.toLowerCase()))
  const choose = (next: string) => {
    setTheme(next)
    applyTheme(next)
  }
  return (
    <main class="page settings">
      <section class="card">
        <header>
          <h2>This page</h2>
        </header>
        <Choice
          label="Theme"
          options={THEMES.map((value) => ({ value, words: value }))}
          value={theme as (typeof THEMES)[number]}
          onChange={choose}
        />
      </section>
      <section class="card">
        <header>
          <h2>Settings of the run</h2>
          <input
            type="text"
            class="filter"
            placeholder="Find a setting"
            aria-label="Find a setting"
            value={filter}
            onInput={({ currentTarget }) => setFilter(currentTarget.value)}
          />
        </header>
        <table>
          <tbody>
            {rows.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="figure">{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="empty">No setting of that name.</p>}
      </section>
    </main>
  )
}

/** Settings as dotted names with their values in words. */
export function flatten(settings: Record<string, unknown>, prefix = ''): [name: string, value: string][] {
  return Object.entries(settings).flatMap(([key, value]): [string, string][] => {
    const name = prefix ? `${prefix}.${key}` : key
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return flatten(value as Record<string, unknown>, name)
    return [[name, Array.isArray(value) ? value.join(', ') : String(value)]]
  })
}

export function applyTheme(theme: string): void {
  localStorage.setItem('theme', theme)
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}
