/** @file A button for deliberate acts: it does nothing until it has been held for a while, and shows how far that is. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

type Props = {
  onDone: () => void
  milliseconds?: number
  class?: string
  disabled?: boolean
  children: ComponentChildren
}

/** Held by pointer, or by Enter while it has the focus. Letting go early, or leaving, undoes it. */
export function HoldButton({ onDone, milliseconds = 1000, children, disabled, ...rest }: Props) {
  const [since, setSince] = useState<number | null>(null)
  const done = useRef(onDone)
  done.current = onDone
  useEffect(() => {
    if (since === null) return
    const timer = setTimeout(() => {
      setSince(null)
      done.current()
    }, milliseconds)
    return () => clearTimeout(timer)
  }, [since, milliseconds])
  const begin = () => !disabled && setSince((now) => now ?? performance.now())
  const cancel = () => setSince(null)
  return (
    <button
      type="button"
      class={`hold ${rest.class ?? ''} ${since === null ? '' : 'held'}`}
      disabled={disabled}
      style={{ '--hold': `${milliseconds}ms` }}
      onPointerDown={begin}
      onPointerUp={cancel}
      onPointerLeave={cancel}
      onPointerCancel={cancel}
      onBlur={cancel}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => event.key === 'Enter' && begin()}
      onKeyUp={cancel}
    >
      {children}
    </button>
  )
}
