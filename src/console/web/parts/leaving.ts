/** @file When a person turns away from the page: it loses the focus, is hidden or left. What they held is let go of then. */

/** @returns how to hear of it no longer */
export function whenLeft(letGo: () => void): () => void {
  const listening = new AbortController()
  const { signal } = listening
  for (const event of ['blur', 'pagehide'] as const) window.addEventListener(event, letGo, { signal })
  document.addEventListener('visibilitychange', letGo, { signal })
  return () => listening.abort()
}
