/** @file An evaluation, trial by trial: what to lay, what came of it, and what that says of the policy. */
import { percent } from '../../../metrics/percent.ts'
import { wilsonInterval } from '../../../metrics/statistics.ts'
import type { TrialInfo } from '../../protocol.ts'
import { FlowPanel } from '../panels/flow.tsx'
import { ScenePanel } from '../panels/scene.tsx'
import { StagePanel } from '../panels/stage.tsx'
import { VerdictPanel } from '../panels/verdict.tsx'
import { useModel } from '../parts/context.ts'

export function EvaluationPage() {
  const evaluation = useModel((model) => model.evaluation)
  const trials = evaluation?.trials ?? []
  const now = evaluation && !evaluation.over ? trials.findIndex(({ outcome }) => outcome === null) : -1
  return (
    <main class="live evaluation">
      <div class="live-main">
        <StagePanel />
        <Trials trials={trials} now={now} />
      </div>
      <aside class="live-side" aria-label="Controls">
        <section class="card" aria-label="Evaluation">
          <header>
            <h2>Evaluation</h2>
            <span class="quiet small">{evaluation ? evaluation.stage : 'none yet'}</span>
          </header>
          <p class="evaluation-now" role="status">
            {!evaluation && 'It comes before the first practice, and after the last.'}
            {evaluation?.over && `Over: ${trials.length} trials.`}
            {now >= 0 && (
              <>
                Trial <b>{now + 1}</b> of {trials.length}: {trials[now]!.task}
                {trials[now]!.start && `, ${trials[now]!.start}`}
              </>
            )}
          </p>
          <p class="quiet small">
            Nobody helps. Every evaluation has the same starts in the same order. An abort is no trial: it is made
            again.
          </p>
        </section>
        <ScenePanel />
        <VerdictPanel />
        <FlowPanel />
      </aside>
    </main>
  )
}

function Trials({ trials, now }: { trials: readonly TrialInfo[]; now: number }) {
  const tasks = [...new Set(trials.map(({ task }) => task))]
  return (
    <>
      {tasks.map((task) => {
        const own = trials.flatMap((trial, index) => (trial.task === task ? [{ ...trial, index }] : []))
        const done = own.flatMap(({ outcome }) => outcome ?? [])
        return (
          <section key={task} class="card" aria-label={`Trials of ${task}`}>
            <header>
              <h2>{task}</h2>
              <span class="small">{scoreInWords(done)}</span>
            </header>
            <ol class="trials">
              {own.map(({ index, start, outcome }) => (
                <li key={index} aria-current={index === now ? 'step' : undefined} class={lookOf(outcome)}>
                  <span>{start ?? `start ${index + 1}`}</span>
                  <span class="quiet small">{outcome ? outcomeInWords(outcome) : index === now ? 'now' : ''}</span>
                </li>
              ))}
            </ol>
          </section>
        )
      })}
    </>
  )
}

type Outcome = NonNullable<TrialInfo['outcome']>

const lookOf = (outcome: Outcome | null) => (outcome ? (outcome.success ? 'success' : 'failure') : '')

const outcomeInWords = ({ success, length, by }: Outcome) =>
  `${success ? 'success' : 'failure'} after ${length} steps${by === null ? '' : `, says the ${by}`}`

function scoreInWords(done: readonly Outcome[]): string {
  if (done.length === 0) return 'no trial yet'
  const won = done.filter(({ success }) => success).length
  const [low, high] = wilsonInterval(won, done.length)
  return `${won} of ${done.length}: ${percent(won / done.length)}, 95 % interval ${percent(low)} to ${percent(high)}`
}
