/** @file One camera, live: the newest picture, what is drawn over it, and how old it is. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { commandDirection } from '../../../talk/vocabulary.ts'
import { type CameraInfo, FRAME_FLAGS, type RobotStatus, type State, type Vector3 } from '../../protocol.ts'
import { acting, type Model, sceneInFocus } from '../link/model.ts'
import { onThemeChange } from '../parts/colour.ts'
import { useConsole, useModel } from '../parts/context.ts'
import { type Drawn, drawOverlay } from './overlay.ts'
import { viewOf } from './projection.ts'

const OLD = 250 // ms: an older picture is not what the robot does now
const LOST = 1000 // ms: such a picture is dimmed
const AGE_EVERY = 100 // ms
const CALM = 5 // as many ages pass for one that is shown, while they are small: each one shown is the page drawn again
const RESTS: readonly RobotStatus[] = ['idle', 'stopped', 'paused', 'holding']

export function CameraView({ camera, index, overlay }: { camera: CameraInfo; index: number; overlay: boolean }) {
  const { connection, preview } = useConsole()
  const picture = useRef<HTMLCanvasElement>(null)
  const drawn = useRef<HTMLCanvasElement>(null)
  const shown = useRef<{ time: number; step: number } | null>(null)
  const [age, setAge] = useState<number | null>(null)

  // with each greeting come other cameras, though they be called the same
  useEffect(() => {
    return () => {
      shown.current = null
      const context = picture.current?.getContext('2d', { alpha: false })
      context?.clearRect(0, 0, context.canvas.width, context.canvas.height)
    }
  }, [camera])

  useEffect(() => {
    const ofFrame = new StatesByStep()
    const stopStates = connection.model.subscribe(() => ofFrame.hear(connection.model.get().state))
    let last: string | null = null // what the overlay shows
    const draw = () => {
      const canvas = drawn.current
      if (!canvas) return
      const model = connection.model.get()
      const state = (shown.current && ofFrame.at(shown.current.step)) ?? model.state
      const content = overlay ? contentOf(model, state, preview.get()) : null
      const next = JSON.stringify(content)
      if (!fit(canvas) && next === last) return
      last = next
      paint(canvas, camera, content)
    }
    const stopTheme = onThemeChange(() => {
      last = null
      draw()
    })
    const stopFrames = connection.frames.subscribe(index, ({ bitmap, frame }) => {
      const canvas = picture.current
      if (!canvas) return
      fit(canvas)
      const context = canvas.getContext('2d', { alpha: false })!
      context.imageSmoothingQuality = 'high'
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
      shown.current = { time: frame.time, step: frame.step }
      canvas.dataset.step = String(frame.step)
      const now = connection.clock.at(performance.now())
      if (now !== null) canvas.dataset.delay = (now - frame.time).toFixed(1) // ms from the camera to the screen
      canvas.dataset.stopped = String((frame.flags & FRAME_FLAGS.stopped) !== 0)
      draw()
    })
    const stopPreview = preview.subscribe(draw)
    let ticks = 0
    const timer = setInterval(() => {
      const server = connection.clock.at(performance.now())
      const now = shown.current && server !== null ? Math.max(0, server - shown.current.time) : null
      const calm = ++ticks % CALM !== 0 && now !== null && now <= OLD
      setAge((before) => (calm && before !== null && before <= OLD ? before : now))
      draw()
      if (picture.current && now !== null) picture.current.dataset.age = now.toFixed(1)
    }, AGE_EVERY)
    return () => {
      stopTheme()
      stopStates()
      stopFrames()
      stopPreview()
      clearInterval(timer)
    }
  }, [connection, camera, index, overlay])

  // a robot that waits makes no new pictures: they are not late, but the page says how old they are
  const still = useModel(
    ({ robot, link, ended }) => link === 'open' && (ended !== null || (robot !== null && RESTS.includes(robot.status))),
  )
  const fresh = useModel((model) => (sceneInFocus(model) ? LOST : OLD)) // while a scene is laid there are fewer
  const old = age !== null && age > fresh && !still
  return (
    <figure
      class={`camera ${old && age > LOST ? 'old' : ''}`}
      style={{ aspectRatio: `${camera.width} / ${camera.height}` }}
    >
      <canvas ref={picture} class="picture" role="img" aria-label={`${camera.name} camera, live`} />
      <canvas ref={drawn} class="overlay" />
      <figcaption>
        <span>{camera.name}</span>
        <span class={`age ${old ? 'bad' : ''}`}>{wordsForAge(age, fresh, still)}</span>
      </figcaption>
    </figure>
  )
}

function wordsForAge(age: number | null, fresh: number, still: boolean): string {
  if (age === null) return 'no picture yet'
  if (age <= fresh) return `${Math.round(age / 10) * 10} ms`
  const seconds = age < 9950 ? (age / 1000).toFixed(1) : Math.round(age / 1000)
  return still ? `as it was ${seconds} s ago` : `old: ${seconds} s`
}

/** The last states by their step, as a frame may be decoded after the state that follows it. */
class StatesByStep {
  private readonly states: State[] = []

  hear(state: State | null): void {
    if (!state || state === this.states.at(-1)) return
    this.states.push(state)
    if (this.states.length > 12) this.states.shift()
  }

  at(step: number): State | null {
    return this.states.findLast((state) => state.step === step) ?? null
  }
}

/** A canvas has as many pixels as the screen gives it. Returns whether it got others, and is empty. */
function fit(canvas: HTMLCanvasElement): boolean {
  const width = Math.round(canvas.clientWidth * devicePixelRatio)
  const height = Math.round(canvas.clientHeight * devicePixelRatio)
  if (canvas.width === width && canvas.height === height) return false
  canvas.width = width
  canvas.height = height
  return true
}

function contentOf(model: Model, state: State | null, preview: Vector3 | null): Drawn | null {
  if (!state?.tcp) return null
  const resting =
    sceneInFocus(model) !== null || model.ended !== null || (model.robot !== null && RESTS.includes(model.robot.status))
  const said = model.command && model.command.until > performance.now() ? model.command : null
  return {
    tool: state.tcp,
    planned: resting ? null : state.plannedMotion,
    executed: resting ? null : state.executedMotion,
    asked: preview ?? (said && commandDirection(said.text)),
    actor: `--${acting(model)}`,
  }
}

function paint(canvas: HTMLCanvasElement, camera: CameraInfo, content: Drawn | null): void {
  const context = canvas.getContext('2d')!
  const view = content && viewOf(camera, content.tool)
  if (view) drawOverlay(context, view, content, devicePixelRatio)
  else context.clearRect(0, 0, canvas.width, canvas.height)
}
