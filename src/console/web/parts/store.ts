/** @file A value that tells its listeners when it changes, and the hook by which components read a part of it. */
import { useEffect, useReducer, useRef } from 'preact/hooks'
import { beforeNextFrame } from './frame.ts'

export class Store<S> {
  private readonly listeners = new Set<() => void>()

  constructor(private value: S) {}

  get = (): S => this.value

  set = (value: S): void => {
    if (Object.is(value, this.value)) return
    this.value = value
    for (const listener of [...this.listeners]) listener()
  }

  update = (change: (value: S) => S): void => this.set(change(this.value))

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

/** Renders again only when what `pick` returns is another value, and once a frame however much changes until then. */
export function useStore<S, T>(store: Store<S>, pick: (state: S) => T): T {
  const [, again] = useReducer((count: number, _: unknown) => count + 1, 0)
  const picked = pick(store.get())
  const last = useRef({ pick, picked })
  last.current = { pick, picked }
  useEffect(() => {
    const check = () => {
      if (!Object.is(last.current.pick(store.get()), last.current.picked)) again(null)
    }
    check()
    let forget = () => {}
    const stop = store.subscribe(() => {
      forget = beforeNextFrame(check)
    })
    return () => {
      stop()
      forget()
    }
  }, [store])
  return picked
}
