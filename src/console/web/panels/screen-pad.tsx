/** @file The pad for fingers: two fields that spring back, and the gripper. Where a finger comes down is its zero. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Field } from '../../devices/index.ts'
import { useConsole } from '../parts/context.ts'

const RADIUS = 70 // pixels to full deflection, as the pad has it

const WORDS: Record<Field, readonly [up: string, right: string, down: string, left: string]> = {
  plane: ['forward', 'right', 'back', 'left'],
  lift: ['up', 'turn right', 'down', 'turn left'],
  tilt: ['tip', 'lean right', 'tip back', 'lean left'],
}

export function ScreenPad() {
  const { hand } = useConsole()
  const [tilting, setTilting] = useState(false)
  useEffect(() => () => hand.pad.squeeze('none'), [hand]) // a button that is gone hears of no finger
  const squeeze = (grip: 'open' | 'close') => ({
    onPointerDown: () => hand.pad.squeeze(grip),
    onPointerUp: () => hand.pad.squeeze('none'),
    onPointerLeave: () => hand.pad.squeeze('none'),
    onPointerCancel: () => hand.pad.squeeze('none'),
  })
  return (
    <div class="screen-pad">
      <PadField field="plane" />
      <div class="pad-middle">
        <button type="button" {...squeeze('open')}>
          Open
        </button>
        <button type="button" {...squeeze('close')}>
          Close
        </button>
        <button type="button" class="small-button" aria-pressed={tilting} onClick={() => setTilting(!tilting)}>
          Tilt
        </button>
      </div>
      <PadField key={tilting ? 'tilt' : 'lift'} field={tilting ? 'tilt' : 'lift'} />
    </div>
  )
}

function PadField({ field }: { field: Field }) {
  const { hand } = useConsole()
  const finger = useRef<{ pointer: number; zero: readonly [number, number] } | null>(null)
  const [thumb, setThumb] = useState<readonly [number, number]>([0, 0])
  const lift = () => {
    if (finger.current) hand.pad.lift(finger.current.pointer)
    finger.current = null
  }
  const lifted = ({ pointerId }: PointerEvent) => {
    if (pointerId !== finger.current?.pointer) return
    lift()
    setThumb([0, 0])
  }
  useEffect(() => lift, [hand]) // a field that is gone hears of no finger
  return (
    <div
      class={`pad-field ${finger.current ? 'touched' : ''}`}
      onPointerDown={(event) => {
        event.preventDefault()
        if (finger.current) return // a second one, or a palm
        event.currentTarget.setPointerCapture(event.pointerId)
        finger.current = { pointer: event.pointerId, zero: [event.clientX, event.clientY] }
        hand.pad.touch(event.pointerId, field, event.clientX, event.clientY)
        setThumb([0, 0])
      }}
      onPointerMove={({ pointerId, clientX, clientY }) => {
        if (pointerId !== finger.current?.pointer) return
        hand.pad.move(pointerId, clientX, clientY)
        const [dx, dy] = [clientX - finger.current.zero[0], clientY - finger.current.zero[1]]
        const shorten = Math.min(1, RADIUS / Math.max(1, Math.hypot(dx, dy)))
        setThumb([dx * shorten, dy * shorten])
      }}
      onPointerUp={lifted}
      onPointerCancel={lifted}
      onLostPointerCapture={lifted}
    >
      {WORDS[field].map((word, side) => (
        <span key={word} class={`pad-word side-${side}`}>
          {word}
        </span>
      ))}
      <i style={{ transform: `translate(${thumb[0]}px, ${thumb[1]}px)` }} />
    </div>
  )
}
