/** @file Renders a component again every so often, for what changes with the clock alone. */
import { useEffect, useReducer } from 'preact/hooks'

export function useTicker(milliseconds: number, running = true): void {
  const [, again] = useReducer((count: number, _: unknown) => count + 1, 0)
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => again(null), milliseconds)
    return () => clearInterval(timer)
  }, [milliseconds, running])
}
