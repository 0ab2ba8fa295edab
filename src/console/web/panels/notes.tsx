/** @file What the run says in words: the coach's line, health, the tasks, and each tweak as it turns into talk. */

import { useMemo } from 'preact/hooks'
import { percent } from '../../../metrics/percent.ts'
import type { LabelEvent } from '../../protocol.ts'
import { taskRows } from '../curves/tasks.ts'
import { useModel } from '../parts/context.ts'

export function CoachLine() {
  const line = useModel((model) => model.coach)
  if (!line) return null
  return (
    <p class="coach" role="status">
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path
          d="M2 2h12v9h-6l-4 4v-4h-2z"
          fill="none"
          stroke="currentColor"
          stroke-width="1.6"
          stroke-linejoin="round"
        />
      </svg>
      {line}
    </p>
  )
}

export function HealthPanel() {
  const signs = useModel((model) => model.health)
  return (
    <section class={`card health ${signs.length ? 'ill' : ''}`} aria-live="polite">
      <header>
        <h2>Health</h2>
        <span class="small quiet">{signs.length ? `${signs.length} to look at` : 'no sign of trouble'}</span>
      </header>
      {signs.map(({ sign, words, figure, advice }) => (
        <details key={sign}>
          <summary>
            <span class="warn-shape" aria-hidden="true">
              !
            </span>
            {words}
          </summary>
          <p class="small">{figure}</p>
          <p class="small quiet">{advice}</p>
        </details>
      ))}
    </section>
  )
}

export function TasksPanel() {
  const metrics = useModel((model) => model.metrics)
  const tasks = useModel((model) => model.hello?.tasks)
  const now = useModel((model) => model.state?.task)
  const trained = useMemo(() => (tasks ?? []).filter((task) => task.trained), [tasks])
  const rows = useMemo(
    () =>
      taskRows(
        metrics,
        trained.map(({ name }) => name),
      ),
    [metrics, trained],
  )
  return (
    <section class="card tasks">
      <header>
        <h2>Tasks</h2>
        <span class="small quiet">the last 20 episodes</span>
      </header>
      <table>
        <thead>
          <tr>
            <th scope="col">task</th>
            <th scope="col" class="figure">
              now
            </th>
            <th scope="col" class="figure" title="Newest evaluation on fresh seeds">
              test
            </th>
            <th scope="col" class="figure" title="Episodes">
              n
            </th>
            <th scope="col" class="figure">
              steps
            </th>
            <th scope="col" class="figure">
              Q̄
            </th>
            <th scope="col" class="figure">
              ε
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ task, running, evaluated, episodes, meanLength, value, weight }, i) => (
            <tr key={task} class={task === now ? 'current' : ''}>
              <th scope="row" class={`s${i % 6}`}>
                <span class="swatch" aria-hidden="true" />
                {task}
                {task === now && <span class="visually-hidden"> (now)</span>}
              </th>
              <td class="figure">{running ? percent(running.rate) : '–'}</td>
              <td
                class="figure"
                title={
                  evaluated
                    ? `${evaluated.trials} trials: ${percent(evaluated.interval[0])} to ${percent(evaluated.interval[1])}`
                    : undefined
                }
              >
                {evaluated ? percent(evaluated.success) : '–'}
              </td>
              <td class="figure">{episodes}</td>
              <td class="figure">{meanLength?.toFixed(0) ?? '–'}</td>
              <td class="figure">{value?.toFixed(2) ?? '–'}</td>
              <td class="figure">{weight?.toFixed(2) ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

export function LabelPanel() {
  const labels = useModel((model) => model.labels)
  return (
    <section class="card labels" aria-label="Tweak becomes talk">
      <header>
        <h2>Tweak becomes talk</h2>
        <span class="small quiet">{labels.length ? 'newest first' : ''}</span>
      </header>
      {labels.length === 0 && (
        <p class="empty">Each correction by hand appears here as the command that it stands for.</p>
      )}
      <ol>
        {labels.slice(0, 12).map((label) => (
          <Label key={`${label.episode}-${label.step}`} {...label} />
        ))}
      </ol>
    </section>
  )
}

function Label({ command, delta, window, task, episode, step, thumbnail }: LabelEvent) {
  const silent = command === '[null]'
  return (
    <li class={silent ? 'silent' : ''} title={`x, y, z of ${window} steps`}>
      {thumbnail?.startsWith('data:image/jpeg') ? (
        <img src={thumbnail} width="56" height="56" alt="" />
      ) : (
        <span class="no-thumbnail" aria-hidden="true" />
      )}
      <div>
        <b>{silent ? 'too small to say' : command.replace('move ', '')}</b>
        <span class="small quiet">
          {delta.map((metres) => `${metres >= 0 ? '+' : '−'}${Math.abs(1000 * metres).toFixed(0)}`).join('  ')} mm in{' '}
          {window} steps
        </span>
        <span class="small quiet">
          {task} {episode}, step {step}
        </span>
      </div>
    </li>
  )
}
