/** @file The style sheet's colours for canvases, which cannot read custom properties. */

let probe: HTMLElement | undefined
const known = new Map<string, string>()

/** The colour that a custom property has in the present theme, e.g. `colour('--primary')`. */
export function colour(property: string): string {
  const cached = known.get(property)
  if (cached !== undefined) return cached
  probe ??= document.body.appendChild(Object.assign(document.createElement('span'), { hidden: true }))
  probe.style.color = `var(${property})`
  const value = getComputedStyle(probe).color
  known.set(property, value)
  return value
}

/** Calls back when the theme changes, after which `colour` gives the new ones. */
export function onThemeChange(listener: () => void): () => void {
  const changed = () => {
    known.clear()
    listener()
  }
  const query = matchMedia('(prefers-color-scheme: dark)')
  query.addEventListener('change', changed)
  const observer = new MutationObserver(changed)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  return () => {
    query.removeEventListener('change', changed)
    observer.disconnect()
  }
}
