/** @file Keys that stop from anywhere, on a stand-in for the browser's window. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { listenToStop } from '../../src/console/web/hand/keys.ts'

class Place extends EventTarget {
  isContentEditable = false
  closest = () => null
}
class Field extends Place {
  type = 'text'
}

describe('the keys that stop', () => {
  const stop = vi.fn()
  let robots = true
  beforeEach(() => {
    robots = true
    stop.mockClear()
    vi.stubGlobal('HTMLElement', Place)
    vi.stubGlobal('HTMLInputElement', Field)
    vi.stubGlobal('HTMLTextAreaElement', class extends Place {})
    vi.stubGlobal('document', new EventTarget())
    vi.stubGlobal('window', new EventTarget())
    listenToStop(stop, () => robots)
  })
  afterEach(() => vi.unstubAllGlobals())

  /** @returns whether it stopped, and whether the key was kept from the browser */
  const press = (code: string, key: string, target: Place, kind = 'keydown') => {
    const event = Object.assign(new Event(kind, { cancelable: true }), { code, key, repeat: false })
    Object.defineProperty(event, 'target', { value: target })
    stop.mockClear()
    window.dispatchEvent(event)
    return [stop.mock.calls.length === 1, event.defaultPrevented]
  }

  it('are Escape from anywhere and the space bar from anywhere but a text field, by their place and by what they type', () => {
    for (const [code, key] of [
      ['Escape', 'Escape'],
      ['CapsLock', 'Escape'], // as many have it
      ['', 'Escape'], // of a keyboard on the screen
      ['Escape', 'CapsLock'],
    ])
      for (const target of [new Place(), new Field()]) expect(press(code!, key!, target)).toEqual([true, true])
    for (const code of ['Space', '']) {
      expect(press(code, ' ', new Place())).toEqual([true, true])
      expect(press(code, ' ', new Field())).toEqual([false, false])
    }
    expect(press('KeyE', 'e', new Place())).toEqual([false, false])
  })

  it('are the page’s own where there is no robot, as the space bar on the button that plays an episode', () => {
    robots = false
    for (const kind of ['keydown', 'keyup']) expect(press('Space', ' ', new Place(), kind)).toEqual([false, false])
    expect(press('Escape', 'Escape', new Place())).toEqual([false, false])
  })
})
