/** @file Who acted in each of the last steps, newest on the right: colour and height tell the actor, marks the endings. */
import { useEffect, useRef } from 'preact/hooks'
import type { Act } from '../../protocol.ts'
import { ACTING } from '../parts/actor.tsx'
import { colour } from '../parts/colour.ts'
import { useModel } from '../parts/context.ts'

const STEP = 3 // CSS pixels
const HEIGHT = 26
const MARKS = { success: '✓', failure: '✕', timeout: '–', abort: '⏏' } as const

export function Ribbon() {
  const acts = useModel((model) => model.acts)
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    if (canvas.current) drawRibbon(canvas.current, acts)
  }, [acts])
  const last = acts.at(-1)
  return (
    <canvas
      ref={canvas}
      class="ribbon"
      role="img"
      aria-label={`Who acted in the last steps; now ${last?.actor ?? 'nobody'}`}
      title="Who acted: low primary, then exploration, refinement, high operator. Gaps are episode borders"
    />
  )
}

function drawRibbon(canvas: HTMLCanvasElement, acts: readonly Act[]): void {
  const scale = devicePixelRatio
  const width = canvas.clientWidth
  const pixels = Math.round(width * scale)
  if (canvas.width !== pixels) canvas.width = pixels // whatever is set, also the same, makes a new one
  if (canvas.height !== Math.round(HEIGHT * scale)) canvas.height = Math.round(HEIGHT * scale)
  const context = canvas.getContext('2d')!
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, HEIGHT)
  context.font = '600 10px sans-serif'
  context.textAlign = 'center'
  const shown = acts.slice(-Math.floor((width - 8) / STEP))
  const bottom = HEIGHT - 1
  const full = HEIGHT - 12
  context.fillStyle = colour('--rule')
  context.fillRect(0, bottom, width, 1)
  shown.forEach(({ actor, evaluation, ending }, i) => {
    const x = width - 8 - (shown.length - i) * STEP
    if (actor) {
      const height = full * ACTING[actor].height
      context.globalAlpha = evaluation ? 0.45 : 1
      context.fillStyle = colour(`--${actor}`)
      context.fillRect(x, bottom - height, STEP, height)
      context.globalAlpha = 1
    }
    if (ending) {
      context.fillStyle = colour(ending === 'success' ? '--good' : ending === 'failure' ? '--stopped' : '--quiet')
      context.fillText(MARKS[ending], x, 9)
    }
  })
}
