/** @file Demonstrations by a person: choose a task, show it, look at it again, keep it or not. */
import { useState } from 'preact/hooks'
import { api, useLoaded } from '../link/api.ts'
import { FlowPanel } from '../panels/flow.tsx'
import { ScenePanel } from '../panels/scene.tsx'
import { StagePanel } from '../panels/stage.tsx'
import { TakeoverPanel } from '../panels/takeover.tsx'
import { VerdictPanel } from '../panels/verdict.tsx'
import { Choice } from '../parts/choice.tsx'
import { useConsole, useModel } from '../parts/context.ts'
import { EpisodePlayer } from '../view/player.tsx'

export function RecordPage() {
  const recording = useModel((model) => model.recording)
  const phase = recording?.phase ?? 'off'
  return (
    <main class="live record">
      <div class="live-main">{phase === 'review' ? <Review /> : <StagePanel />}</div>
      <aside class="live-side" aria-label="Controls">
        <ScenePanel />
        <TaskPanel />
        {phase !== 'review' && (
          <>
            <TakeoverPanel />
            <VerdictPanel />
            <FlowPanel />
          </>
        )}
      </aside>
    </main>
  )
}

const PHASES = {
  off: 'The run practises by itself.',
  waiting: 'Waiting for the running episode to end …',
  recording: 'Show it. The policy stands still; only your hand moves the arm.',
  review: 'Look at it, then keep it or not.',
} as const

/** Where the run waits for them. */
const WAITED_FOR = {
  off: 'The run waits for these demonstrations; with the last one it goes on by itself.',
  waiting: 'The robot goes to its start, then waits for its scene.',
} as const

function TaskPanel() {
  const { connection } = useConsole()
  const recording = useModel((model) => model.recording)
  const all = useModel((model) => model.hello?.tasks ?? [])
  const wanted = recording?.wanted ?? null
  const tasks = wanted === null ? all : all.filter((task) => task.trained)
  const trained = all.filter((task) => task.trained).length
  const [task, setTask] = useState<string | null>(null)
  const due = wanted === null ? undefined : tasks.find(({ name }) => (recording?.kept[name] ?? 0) < wanted)?.name
  const chosen = task ?? due ?? tasks.find(({ trained }) => trained)?.name ?? tasks[0]?.name
  const phase = recording?.phase ?? 'off'
  const total = Object.values(recording?.kept ?? {}).reduce((sum, count) => sum + count, 0)
  return (
    <section class="card">
      <header>
        <h2>Demonstrations</h2>
        <span class="small quiet">{wanted === null ? `${total} kept` : `${total} kept of ${wanted * trained}`}</span>
      </header>
      <p class="record-phase" role="status">
        {wanted !== null && phase in WAITED_FOR ? WAITED_FOR[phase as keyof typeof WAITED_FOR] : PHASES[phase]}
        {phase === 'recording' && <b> {recording?.steps} steps</b>}
      </p>
      <Choice
        label="Task"
        look="list"
        disabled={phase !== 'off'}
        options={tasks.map(({ name, instruction }) => ({
          value: name,
          words: (
            <>
              <span>{instruction}</span>
              <span class="small">
                {recording?.kept[name] ?? 0} kept{wanted !== null && ` of ${wanted}`}
              </span>
            </>
          ),
        }))}
        value={chosen}
        onChange={setTask}
      />
      {phase === 'off' && (
        <button
          type="button"
          class="primary-act"
          disabled={!chosen}
          onClick={() => chosen && connection.operate({ kind: 'record', action: 'start', task: chosen })}
        >
          <span class="record-dot" aria-hidden="true" /> Record {chosen}
        </button>
      )}
      {phase !== 'off' && (
        <div class="row">
          {phase === 'review' && (
            <button
              type="button"
              class="primary-act"
              onClick={() => connection.operate({ kind: 'record', action: 'keep' })}
            >
              Keep
            </button>
          )}
          <button
            type="button"
            class="primary-act"
            onClick={() => connection.operate({ kind: 'record', action: 'discard' })}
          >
            Discard
          </button>
        </div>
      )}
    </section>
  )
}

function Review() {
  const recording = useModel((model) => model.recording)
  const rate = useModel((model) => model.hello?.controlRate)
  const loaded = useLoaded(`recording/${recording?.task}/${recording?.steps}`, api.recording)
  if (loaded.state === 'loading') return <p class="card empty">Loading the demonstration …</p>
  if (loaded.state === 'failed') return <p class="card empty">The demonstration cannot be shown: {loaded.why}</p>
  return (
    <>
      <EpisodePlayer episode={loaded.value} rate={rate} frame={api.recordingFrame} />
      <p class="quiet">
        {recording?.success ? 'It ended in success.' : 'It did not end in success; such a demonstration seldom helps.'}
      </p>
    </>
  )
}
