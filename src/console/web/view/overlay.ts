/** @file What is drawn over a camera's picture: the tool's axes, the way planned, the way gone, the way asked for. */

import type { Vector3 } from '../../protocol.ts'
import { colour } from '../parts/colour.ts'
import { columnsOf, type Pixel, projectLine, projectPoint, type ViewedFrom, type ViewPose } from './projection.ts'

const AXIS_LENGTH = 0.03 // metres
const AHEAD = 5 // an arrow shows where this many steps like this one would lead
const COMMAND_LENGTH = 0.055 // metres
const AXIS_COLOURS = ['#ff5f57', '#3ddc84', '#4aa8ff'] as const
const AXIS_LETTERS = ['x', 'y', 'z'] as const

/** All in the base frame; metres and radians. */
export type Drawn = {
  tool: ViewPose
  planned: Vector3 | null // metres in one step, as the policy wants it
  executed: Vector3 | null // metres in one step, as it reached the motors
  asked: Vector3 | null // direction of the command in force, signs along x, y, z
  actor: string // colour of what is executed, a custom property
}

/** Clears the canvas and draws. `size` in device pixels; `scale` device pixels a CSS pixel. */
export function drawOverlay(
  context: CanvasRenderingContext2D,
  view: ViewedFrom,
  { tool, planned, executed, asked, actor }: Drawn,
  scale: number,
): void {
  const { width, height } = context.canvas
  context.clearRect(0, 0, width, height)
  context.lineCap = 'round'
  context.lineJoin = 'round'
  const pen = { context, view, scale }
  drawAxes(pen, tool)
  const ahead = (step: Vector3) => plus(tool.position, times(step, AHEAD))
  if (asked && Math.hypot(...asked) > 0)
    arrow(pen, tool.position, plus(tool.position, times(unit(asked), COMMAND_LENGTH)), colour('--refinement'), 7, false)
  if (executed) arrow(pen, tool.position, ahead(executed), colour(actor), 3.5, false)
  if (planned) arrow(pen, tool.position, ahead(planned), '#ffffff', 2, true)
}

type Pen = { context: CanvasRenderingContext2D; view: ViewedFrom; scale: number }

const plus = (a: Vector3, b: Vector3): Vector3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
const times = (a: Vector3, k: number): Vector3 => [k * a[0], k * a[1], k * a[2]]
const unit = (a: Vector3): Vector3 => times(a, 1 / Math.hypot(...a))

function drawAxes({ context, view, scale }: Pen, { position, rotation }: ViewPose): void {
  columnsOf(rotation).forEach((axis, i) => {
    const line = projectLine(view, position, plus(position, times(axis, AXIS_LENGTH)))
    if (!line) return
    const [from, to] = line.map((pixel) => inCanvas(context, pixel))
    stroke(context, from!, to!, 'rgb(0 0 0 / 45%)', 3.5 * scale)
    stroke(context, from!, to!, AXIS_COLOURS[i]!, 1.8 * scale)
    context.font = `600 ${11 * scale}px sans-serif`
    context.fillStyle = AXIS_COLOURS[i]!
    context.fillText(AXIS_LETTERS[i]!, to![0] + 3 * scale, to![1] + 3 * scale)
  })
}

/** Nothing for a way shorter than two CSS pixels: a head without a shaft says nothing. */
function arrow(
  { context, view, scale }: Pen,
  from: Vector3,
  to: Vector3,
  paint: string,
  wide: number,
  dashed: boolean,
) {
  const start = projectPoint(view, from)
  const end = projectPoint(view, to)
  if (!start || !end) return
  const [a, b] = [inCanvas(context, start), inCanvas(context, end)]
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
  const size = Math.hypot(dx, dy)
  if (size < 2 * scale) return
  const head = Math.min(size * 0.6, (5 + 1.6 * wide) * scale)
  const [ux, uy] = [dx / size, dy / size]
  const neck: Pixel = [b[0] - ux * head * 0.8, b[1] - uy * head * 0.8]
  context.setLineDash(dashed ? [5 * scale, 4 * scale] : [])
  stroke(context, a, neck, 'rgb(0 0 0 / 40%)', (wide + 2) * scale)
  stroke(context, a, neck, paint, wide * scale)
  context.setLineDash([])
  context.beginPath()
  context.moveTo(b[0], b[1])
  context.lineTo(b[0] - ux * head - uy * head * 0.55, b[1] - uy * head + ux * head * 0.55)
  context.lineTo(b[0] - ux * head + uy * head * 0.55, b[1] - uy * head - ux * head * 0.55)
  context.closePath()
  context.lineWidth = 1.2 * scale
  context.strokeStyle = 'rgb(0 0 0 / 40%)'
  context.stroke()
  context.fillStyle = paint
  context.fill()
}

const inCanvas = ({ canvas }: CanvasRenderingContext2D, [x, y]: Pixel): [number, number] => [
  x * canvas.width,
  y * canvas.height,
]

function stroke(context: CanvasRenderingContext2D, a: Pixel, b: Pixel, paint: string, wide: number): void {
  context.beginPath()
  context.moveTo(a[0], a[1])
  context.lineTo(b[0], b[1])
  context.lineWidth = wide
  context.strokeStyle = paint
  context.stroke()
}
