/** @file An episode to look through: its pictures at any step, who acted, what was said, and what a correction says. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { robotSeconds } from '../../../metrics/robot-time.ts'
import { commandDirection } from '../../../talk/vocabulary.ts'
import type { EpisodeDetail, StepDetail } from '../../api.ts'
import type { CameraInfo } from '../../protocol.ts'
import { ACTING, ActorShape } from '../parts/actor.tsx'
import { colour } from '../parts/colour.ts'
import { drawOverlay } from './overlay.ts'
import { viewOf } from './projection.ts'

const AHEAD = 4 // pictures that are fetched before they are needed

type Props = {
  episode: EpisodeDetail
  rate?: number // Hz of its robot: it is played as it was made
  frame: (step: number, camera: string) => string
}

export function EpisodePlayer({ episode, rate, frame }: Props) {
  const [step, setStep] = useState(0)
  const [playing, setPlaying] = useState(false)
  const last = episode.steps.length
  useEffect(() => setStep(0), [episode])
  useEffect(() => {
    if (!playing) return
    const timer = setInterval(
      () =>
        setStep((now) => {
          if (now + 1 >= last) setPlaying(false)
          return Math.min(now + 1, last)
        }),
      1000 * robotSeconds(1, rate),
    )
    return () => clearInterval(timer)
  }, [playing, last, rate])
  useEffect(() => {
    for (let ahead = 1; ahead <= AHEAD && step + ahead <= last; ahead++)
      for (const { name } of episode.cameras) new Image().src = frame(step + ahead, name)
  }, [step, episode, frame, last])
  const now: StepDetail | undefined = episode.steps[step]
  const who = now?.actor ?? episode.steps.at(-1)?.actor ?? 'primary'
  return (
    <div class={`stage player acts-${who}`}>
      <header class="stage-head">
        <div class="who">
          <ActorShape who={who} size={15} />
          <b>{ACTING[who].name}</b>
        </div>
        <div class="where">
          <span class="where-task">{episode.task}</span>
          <span class="quiet where-step">
            step {step} of {last}
          </span>
          <span class="quiet">{step === last ? `ended: ${episode.ending}` : (now?.command ?? now?.label ?? '')}</span>
        </div>
      </header>
      <div class="views">
        {episode.cameras.map((camera) => (
          <StillView
            key={camera.name}
            camera={camera}
            source={frame(step, camera.name)}
            episode={episode}
            step={step}
          />
        ))}
        {now?.command && (
          <div class="said">
            <b>{now.command}</b>
            <span>said</span>
          </div>
        )}
        {now?.label && now.actor === 'operator' && (
          <div class="said label-said">
            <b>{now.label === '[null]' ? 'too small to say' : now.label}</b>
            <span>what the correction says</span>
          </div>
        )}
      </div>
      <div class="scrub">
        <button
          type="button"
          onClick={() => {
            if (!playing && step === last) setStep(0)
            setPlaying(!playing)
          }}
        >
          {playing ? 'Pause' : 'Play'}
        </button>
        <div class="scrub-track">
          <Strip episode={episode} />
          <input
            type="range"
            min={0}
            max={last}
            value={step}
            aria-label="Step"
            onInput={({ currentTarget }) => {
              setPlaying(false)
              setStep(Number(currentTarget.value))
            }}
          />
        </div>
      </div>
    </div>
  )
}

type StillProps = { camera: CameraInfo; source: string; episode: EpisodeDetail; step: number }

function StillView({ camera, source, episode, step }: StillProps) {
  const drawn = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const canvas = drawn.current
    if (!canvas) return
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio)
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio)
    const tcp = episode.tcp[step]
    const view = tcp && viewOf(camera, tcp)
    const next = episode.steps[step]
    if (!tcp || !view || !next) return
    const asked = next.command ? commandDirection(next.command) : null
    const tool = { position: tcp.position, rotation: tcp.rotation }
    drawOverlay(
      canvas.getContext('2d')!,
      view,
      { tool, planned: null, executed: next.motion, asked, actor: `--${next.actor}` },
      devicePixelRatio,
    )
  }, [camera, episode, step])
  return (
    <figure class="camera" style={{ aspectRatio: `${camera.width} / ${camera.height}` }}>
      <img src={source} alt={`${camera.name} camera at step ${step}`} />
      <canvas ref={drawn} class="overlay" />
      <figcaption>
        <span>{camera.name}</span>
      </figcaption>
    </figure>
  )
}

/** The whole episode above the slider: who acted by colour and height, a dot where something was said. */
function Strip({ episode }: { episode: EpisodeDetail }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const place = canvas.current
    if (!place) return
    place.width = Math.round(place.clientWidth * devicePixelRatio)
    place.height = Math.round(place.clientHeight * devicePixelRatio)
    const context = place.getContext('2d')!
    const wide = place.width / Math.max(1, episode.steps.length)
    episode.steps.forEach(({ actor, command }, i) => {
      const height = place.height * 0.8 * ACTING[actor].height
      context.fillStyle = colour(`--${actor}`)
      context.fillRect(i * wide, place.height - height, Math.max(1, wide - 0.5), height)
      if (!command) return
      context.fillStyle = colour('--refinement')
      context.fillRect(i * wide, 0, Math.max(1, wide - 0.5), place.height * 0.12)
    })
  }, [episode])
  return <canvas ref={canvas} class="strip" />
}
