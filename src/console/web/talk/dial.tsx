/** @file The dial: four directions and their pairs around a ring, up and down beside it, each to press once, or to hold until it is enough. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { formatCommand } from '../../../talk/vocabulary.ts'
import type { Vector3 } from '../../protocol.ts'
import { whenLeft } from '../parts/leaving.ts'

type Sign = -1 | 0 | 1
type Flat = readonly [x: Sign, y: Sign]

const REPEAT = 900 // ms between two commands while a direction is held; a command lasts longer
const RING = { inner: 33, outer: 78, gap: 1.6 }
const CARDINAL = 56 // degrees that a single direction takes of the ring; a pair takes what remains

/** Clockwise from the top: forward, forward and right, right, ... x is forward, y is left. */
const SECTORS: readonly { flat: Flat; pair: boolean }[] = [
  { flat: [1, 0], pair: false },
  { flat: [1, -1], pair: true },
  { flat: [0, -1], pair: false },
  { flat: [-1, -1], pair: true },
  { flat: [-1, 0], pair: false },
  { flat: [-1, 1], pair: true },
  { flat: [0, 1], pair: false },
  { flat: [1, 1], pair: true },
]

type Props = {
  /** Degrees by which the ring is turned so that its directions point as in the picture. */
  turn: number
  onSay: (command: string) => void
  onSilence: () => void
  onPreview: (direction: Vector3 | null) => void
}

export function Dial({ turn, onSay, onSilence, onPreview }: Props) {
  const [lift, setLift] = useState<Sign>(0)
  const timer = useRef<ReturnType<typeof setInterval> | undefined>(undefined)
  const held = useRef(false) // for so long that it was said again
  const end = () => {
    clearInterval(timer.current)
    if (held.current) onSilence()
    held.current = false
  }
  const hold = (direction: Vector3) => {
    const say = () => onSay(formatCommand(direction as unknown as readonly [number, number, number]))
    end()
    say()
    timer.current = setInterval(() => {
      held.current = true
      say()
    }, REPEAT)
  }
  useEffect(() => {
    const leave = () => {
      end()
      onPreview(null)
    }
    const stopListening = whenLeft(leave)
    return () => {
      stopListening()
      leave() // a direction that is gone hears of no finger
    }
  }, [])
  const handlers = (direction: Vector3) => ({
    onPointerDown: (event: PointerEvent) => {
      event.preventDefault()
      hold(direction)
    },
    onPointerUp: end,
    onPointerCancel: end,
    onPointerEnter: () => onPreview(direction),
    onPointerLeave: () => {
      end()
      onPreview(null)
    },
    onFocus: () => onPreview(direction),
    onBlur: () => {
      end()
      onPreview(null)
    },
    onKeyDown: ({ key, repeat }: KeyboardEvent) => key === 'Enter' && !repeat && hold(direction),
    onKeyUp: end,
  })
  return (
    <div class="dial">
      <svg viewBox="-80 -80 160 160" class="dial-ring">
        <title>Directions</title>
        {SECTORS.map(({ flat, pair }, i) => {
          const direction: Vector3 = [flat[0], flat[1], lift]
          const middle = 45 * i + turn
          const width = (pair ? 90 - CARDINAL : CARDINAL) / 2
          const name = formatCommand(direction as unknown as readonly [number, number, number])
          return (
            // biome-ignore lint/a11y/useSemanticElements: a sector of a ring cannot be an HTML button
            <g
              key={flat.join()}
              class={pair ? 'pair' : ''}
              role="button"
              tabIndex={0}
              aria-label={name}
              {...handlers(direction)}
            >
              <title>{name}</title>
              <path class="sector" d={sector(middle - width, middle + width)} />
              <path class="tip" transform={`rotate(${middle})`} d={pair ? 'M0 -66l5 9h-10z' : 'M0 -74l8 11h-16z'} />
              {!pair && <SectorName angle={middle} word={name.split(' ')[1]!} />}
            </g>
          )
        })}
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <g
          class="centre"
          role="button"
          tabIndex={0}
          aria-label="The command is over"
          onClick={onSilence}
          onKeyDown={({ key }) => key === 'Enter' && onSilence()}
        >
          <title>The command is over</title>
          <circle r={RING.inner - 5} />
          <text y="4">quiet</text>
        </g>
      </svg>
      <div class="dial-lift">
        <button type="button" aria-label="move up" {...handlers([0, 0, 1])}>
          <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true">
            <path d="M9 0l9 13h-18z" fill="currentColor" />
          </svg>
          up
        </button>
        <fieldset class="dial-and">
          <legend class="visually-hidden">The directions of the ring go with</legend>
          {([1, -1] as const).map((sign) => (
            <button
              key={sign}
              type="button"
              class="small-button"
              aria-pressed={lift === sign}
              onClick={() => setLift(lift === sign ? 0 : sign)}
            >
              and {sign > 0 ? 'up' : 'down'}
            </button>
          ))}
        </fieldset>
        <button type="button" aria-label="move down" {...handlers([0, 0, -1])}>
          <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true">
            <path d="M9 14l9 -13h-18z" fill="currentColor" />
          </svg>
          down
        </button>
      </div>
    </div>
  )
}

function SectorName({ angle, word }: { angle: number; word: string }) {
  const radians = (angle * Math.PI) / 180
  return (
    <text x={47 * Math.sin(radians)} y={-47 * Math.cos(radians) + 3.5}>
      {word === 'backward' ? 'back' : word}
    </text>
  )
}

/** A piece of the ring between two bearings, degrees clockwise from the top. */
function sector(from: number, to: number): string {
  const at = (radius: number, bearing: number) => {
    const radians = (bearing * Math.PI) / 180
    return `${(radius * Math.sin(radians)).toFixed(2)} ${(-radius * Math.cos(radians)).toFixed(2)}`
  }
  const { inner, outer, gap } = RING
  const [innerGap, outerGap] = [inner, outer].map((radius) => (gap / 2 / radius) * (180 / Math.PI))
  return (
    `M${at(outer, from + outerGap!)}A${outer} ${outer} 0 0 1 ${at(outer, to - outerGap!)}` +
    `L${at(inner, to - innerGap!)}A${inner} ${inner} 0 0 0 ${at(inner, from + innerGap!)}Z`
  )
}
