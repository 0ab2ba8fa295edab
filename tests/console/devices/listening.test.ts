/** @file Which key presses reach the robot, and which belong to the page: on a stand-in for the browser's window. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Keyboard, listenToKeys } from '../../../src/console/devices/keyboard.ts'

class FakeElement extends EventTarget {
  isContentEditable = false
  constructor(
    readonly tagName: string,
    readonly type = '',
  ) {
    super()
  }
}

const page = () => Object.assign(new EventTarget(), { document: new EventTarget() })

/** An event as a listener on the window sees it, with its target further down. */
function key(kind: 'keydown' | 'keyup', code: string, target: EventTarget, fields: object = {}) {
  const event = Object.assign(new Event(kind, { cancelable: true }), { code, ...fields })
  Object.defineProperty(event, 'target', { value: target })
  return event
}

describe('listening to the keys of a window', () => {
  const body = new FakeElement('BODY')
  let window: ReturnType<typeof page>
  let keyboard: Keyboard
  let stop: () => void
  beforeEach(() => {
    vi.stubGlobal('HTMLElement', FakeElement)
    window = page()
    keyboard = new Keyboard()
    stop = listenToKeys(keyboard, window as unknown as Window)
  })
  afterEach(() => vi.unstubAllGlobals())

  const press = (code: string, target: EventTarget = body, fields: object = {}) => {
    const event = key('keydown', code, target, fields)
    window.dispatchEvent(event)
    return event.defaultPrevented
  }
  const pressed = () => keyboard.read(0).buttons.pressed

  it('hears keys that mean something, keeps the browser from acting on them, and leaves it the others', () => {
    expect([press('Space'), press('KeyW'), press('F5'), press('Tab')]).toEqual([true, true, false, false])
    expect(pressed()).toEqual(['stop'])
  })

  it('does not scroll or press again while a key repeats', () => {
    press('Space')
    expect(pressed()).toEqual(['stop'])
    expect(press('Space', body, { repeat: true })).toBe(true)
    expect(pressed()).toEqual([])
  })

  it.each([
    ['a text field', new FakeElement('INPUT', 'text')],
    ['a text area', new FakeElement('TEXTAREA')],
    ['a list', new FakeElement('SELECT')],
    ['editable text', Object.assign(new FakeElement('DIV'), { isContentEditable: true })],
  ])('leaves all keys to %s but Escape, which stops', (_, field) => {
    for (const code of ['Space', 'KeyW', 'Enter', 'Backspace']) expect(press(code, field)).toBe(false)
    expect(pressed()).toEqual([])
    press('Escape', field)
    expect(pressed()).toEqual(['stop'])
  })

  it('lets Enter press a button that has the focus, Space tick a box; Space on a button or slider stops', () => {
    const [button, box, slider] = [['BUTTON'], ['INPUT', 'checkbox'], ['INPUT', 'range']].map(
      ([tag, type]) => new FakeElement(tag!, type),
    )
    expect([press('Enter', button), press('Space', box)]).toEqual([false, false])
    expect(pressed()).toEqual([])
    expect([press('Space', button), press('KeyW', slider)]).toEqual([true, true])
    expect(pressed()).toEqual(['stop'])
  })

  it('leaves chords to the browser', () => {
    for (const chord of ['ctrlKey', 'altKey', 'metaKey']) expect(press('KeyR', body, { [chord]: true })).toBe(false)
    keyboard.read(0)
    expect(keyboard.read(1000).axes[2]).toBe(0)
  })

  it.each([
    ['the window loses the focus', () => window.dispatchEvent(new Event('blur'))],
    ['the page is hidden', () => window.document.dispatchEvent(new Event('visibilitychange'))],
    [
      'a text field gets the focus',
      () => {
        const event = new Event('focusin')
        Object.defineProperty(event, 'target', { value: new FakeElement('INPUT', 'text') })
        window.document.dispatchEvent(event)
      },
    ],
  ])('lets go when %s', (_, happen) => {
    keyboard.read(0)
    press('KeyW')
    expect(keyboard.read(1000).axes[0]).toBe(1)
    happen()
    expect(keyboard.read(1001).axes[0]).toBe(0)
    press('KeyW', body, { repeat: true }) // still held: it must be pressed anew
    expect(keyboard.read(2000).axes[0]).toBe(0)
  })

  it('leaves all keys to the page where there is no robot', () => {
    stop()
    listenToKeys(keyboard, window as unknown as Window, () => false)
    for (const code of ['Space', 'KeyW', 'Enter']) expect(press(code)).toBe(false)
    expect(pressed()).toEqual([])
  })

  it('hears nothing after it was told to stop listening', () => {
    stop()
    press('Space')
    expect(pressed()).toEqual([])
  })
})
