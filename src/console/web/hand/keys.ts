/**
 * @file Keys that must work whatever has the focus: Escape stops from anywhere, the space bar from anywhere but a text
 * field. Enter on a button presses that button, and is no verdict. Where there is no robot all keys are the page's.
 */

const TEXT_TYPES = ['text', 'search', 'email', 'number', 'url', 'password', 'tel']

export const isTextField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && TEXT_TYPES.includes(target.type)))

const isPressable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('button, a[href], summary, [role="button"], select, input') !== null

type Key = Pick<KeyboardEvent, 'code' | 'key' | 'target'>

/** By what it types, too: Caps Lock is Escape for many, and keys on a screen have no place. */
const isEscape = ({ code, key }: Key) => code === 'Escape' || key === 'Escape'
const isSpace = ({ code, key, target }: Key) => (code === 'Space' || key === ' ') && !isTextField(target)

/** Listens before everybody else, and keeps from the robot what a button takes for itself. `robots`: whether there are any. */
export function listenToStop(stop: () => void, robots: () => boolean): void {
  window.addEventListener(
    'keydown',
    (event) => {
      if (!robots() || !(isEscape(event) || isSpace(event))) return
      event.preventDefault()
      event.stopImmediatePropagation()
      if (!event.repeat) stop()
    },
    { capture: true },
  )
  document.addEventListener('keydown', (event) => {
    if (event.code === 'Enter' && isPressable(event.target)) event.stopPropagation()
  })
  // a button that was pressed with the space bar would click on its way up
  window.addEventListener('keyup', (event) => robots() && isSpace(event) && event.preventDefault(), {
    capture: true,
  })
  // what was clicked with a pointer gives the focus back, so that keys go on to mean the robot
  window.addEventListener('pointerup', () => {
    setTimeout(() => {
      const focused = document.activeElement
      if (focused instanceof HTMLElement && focused.matches('button, summary, input:not([type="text"])')) focused.blur()
    })
  })
}
