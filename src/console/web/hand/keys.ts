/**
 * @file Keys that must work whatever has the focus: Escape stops from anywhere, the space bar from anywhere but a text
 * field. Enter on a button presses that button, and is no verdict.
 */

const TEXT_TYPES = ['text', 'search', 'email', 'number', 'url', 'password', 'tel']

export const isTextField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && TEXT_TYPES.includes(target.type)))

const isPressable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('button, a[href], summary, [role="button"], select, input') !== null

/** Listens before everybody else, and keeps from the robot what a button takes for itself. */
export function listenToStop(stop: () => void): void {
  window.addEventListener(
    'keydown',
    (event) => {
      if (event.code !== 'Escape' && (event.code !== 'Space' || isTextField(event.target))) return
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
  window.addEventListener(
    'keyup',
    (event) => event.code === 'Space' && !isTextField(event.target) && event.preventDefault(),
    {
      capture: true,
    },
  )
  // what was clicked with a pointer gives the focus back, so that keys go on to mean the robot
  window.addEventListener('pointerup', () => {
    setTimeout(() => {
      const focused = document.activeElement
      if (focused instanceof HTMLElement && focused.matches('button, summary, input:not([type="text"])')) focused.blur()
    })
  })
}
