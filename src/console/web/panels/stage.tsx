/** @file The robot as it is now: who acts, on which task, what was said, and its cameras in a frame of the actor's colour. */
import { useState } from 'preact/hooks'
import { acting, type Model, sceneInFocus } from '../link/model.ts'
import { ACTING, ActorShape } from '../parts/actor.tsx'
import { useModel } from '../parts/context.ts'
import { CameraView } from '../view/camera.tsx'
import { Ribbon } from './ribbon.tsx'
import { CommandPill } from './said.tsx'
import { ScreenPad } from './screen-pad.tsx'

export function StagePanel() {
  const who = useModel(acting)
  const hello = useModel((model) => model.hello)
  const rests = useModel(restsIn)
  const [overlay, setOverlay] = useState(true)
  const [pad, setPad] = useState(() => matchMedia('(pointer: coarse)').matches)
  return (
    <section class={`stage acts-${who}`} aria-label="The robot">
      <header class="stage-head">
        <div class="who" role="status">
          <ActorShape who={who} size={15} />
          <b>{rests ? 'Nobody acts' : ACTING[who].name}</b>
          <span class="who-words">{rests ?? ACTING[who].words}</span>
        </div>
        <Whereabouts />
      </header>
      <div class="views">
        {hello?.cameras.map((camera, index) => (
          <CameraView key={camera.name} camera={camera} index={index} overlay={overlay} />
        )) ?? <div class="camera waiting">Waiting for the robot’s cameras</div>}
        <CommandPill />
        <StatusBanner />
      </div>
      <footer class="stage-foot">
        <Ribbon />
        <div class="row">
          {overlay && <Legend />}
          <button type="button" class="small-button" aria-pressed={overlay} onClick={() => setOverlay(!overlay)}>
            Arrows
          </button>
          <button type="button" class="small-button" aria-pressed={pad} onClick={() => setPad(!pad)}>
            Screen pad
          </button>
        </div>
      </footer>
      {pad && <ScreenPad />}
    </section>
  )
}

/** Why the robot rests, where nobody acts; a stop is said for itself. */
const restsIn = (model: Model): string | null =>
  acting(model) === 'stopped'
    ? null
    : model.ended
      ? 'it is over'
      : sceneInFocus(model)
        ? 'it waits for its scene'
        : null

const STAGES = {
  preparing: 'preparing',
  practice: 'practice',
  evaluation: 'evaluation, nobody helps',
  demonstration: 'demonstration',
  ended: 'the run has ended',
} as const

function Whereabouts() {
  const state = useModel((model) => model.state)
  const task = useModel(({ hello, state }) => hello?.tasks.find(({ name }) => name === state?.task))
  const progress = useModel((model) => model.progress)
  const next = useModel((model) => {
    const scene = sceneInFocus(model)
    return scene && (model.hello?.tasks.find(({ name }) => name === scene.task) ?? null)
  })
  if (next) return <p class="where">Next: {next.instruction}</p>
  if (!state)
    return (
      <p class="where quiet">
        No step yet{progress && `: ${progress.stage}, ${Math.floor(progress.done)} of ${progress.total}`}
      </p>
    )
  return (
    <div class="where">
      <span class="where-task" title={task?.instruction}>
        {task?.instruction ?? state.task}
      </span>
      <span class="quiet where-step">
        {state.stage === 'practice' ? `episode ${state.episode ?? '–'}` : STAGES[state.stage]} · step{' '}
        {state.episodeStep} of {state.maxSteps}
      </span>
      <progress max={state.maxSteps} value={state.episodeStep} aria-label="Steps of the episode" />
    </div>
  )
}

/** Over the views: what the robot does when it does not act. */
function StatusBanner() {
  const robot = useModel((model) => model.robot)
  if (!robot || robot.status === 'moving' || robot.status === 'idle') return null
  const speed = robot.speed === null ? '' : ` Read back: ${(1000 * robot.speed).toFixed(1)} mm/s.`
  const WORDS = {
    stopping: 'Stopping',
    stopped: 'Stopped',
    pausing: 'Pausing',
    paused: 'Paused',
    holding: 'Holding still',
    waiting: 'Waiting',
  } as const
  return (
    <div class={`banner banner-${robot.status}`} role="alert" data-status={robot.status}>
      <b>{WORDS[robot.status]}</b>
      <span>
        {robot.why}
        {robot.why && !/[.!?]$/.test(robot.why) ? '.' : ''}
        {speed}
      </span>
    </div>
  )
}

const Legend = () => (
  <ul class="legend small quiet" title="Each arrow shows where five such steps would lead">
    <li>
      <svg width="26" height="8" aria-hidden="true">
        <path d="M1 4h18" stroke="currentColor" stroke-width="2" stroke-dasharray="4 3" />
        <path d="M25 4l-7-3.5v7z" fill="currentColor" />
      </svg>
      planned
    </li>
    <li>
      <svg width="26" height="8" aria-hidden="true">
        <path d="M1 4h18" stroke="currentColor" stroke-width="3" />
        <path d="M25 4l-8-4v8z" fill="currentColor" />
      </svg>
      executed
    </li>
    <li class="legend-asked">
      <svg width="26" height="10" aria-hidden="true">
        <path d="M1 5h17" stroke="currentColor" stroke-width="5" />
        <path d="M26 5l-9-5v10z" fill="currentColor" />
      </svg>
      asked
    </li>
  </ul>
)
