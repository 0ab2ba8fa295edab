/** @file Work for the screen, gathered: all that is asked for until the next frame is drawn is done right before it, once each. */

const HIDDEN = 100 // ms until what no frame comes for is done all the same: a page that is not seen gets none

const waiting = new Set<() => void>()
let due: { frame: number; timer: ReturnType<typeof setTimeout> } | null = null

/** Calls `work` once before the next frame, however often it is asked for until then. What is returned takes it back. */
export function beforeNextFrame(work: () => void): () => void {
  waiting.add(work)
  due ??= { frame: requestAnimationFrame(run), timer: setTimeout(run, HIDDEN) }
  return () => void waiting.delete(work)
}

function run(): void {
  if (due) {
    cancelAnimationFrame(due.frame)
    clearTimeout(due.timer)
  }
  due = null
  const all = [...waiting]
  waiting.clear()
  for (const work of all) work()
}
