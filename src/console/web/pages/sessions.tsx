/** @file Runs on disk: their result, their curves, and every episode to look through. */

import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { percent } from '../../../metrics/percent.ts'
import type { OperatorTime } from '../../../metrics/summary.ts'
import type { EpisodeEntry, RunDetail } from '../../api.ts'
import { Chart } from '../curves/chart.tsx'
import { chartsOf, clocksOf, domainOf } from '../curves/charts.ts'
import { api, useLoaded } from '../link/api.ts'
import { Choice } from '../parts/choice.tsx'
import { EpisodePlayer } from '../view/player.tsx'

export function SessionsPage() {
  const [run, setRun] = useState<string | null>(null)
  const runs = useLoaded('runs', api.runs)
  const entries = runs.state === 'there' ? runs.value : []
  const chosen = run ?? entries.find(({ finished }) => finished)?.run ?? entries[0]?.run ?? null
  return (
    <main class="page sessions">
      <aside class="card run-list">
        <header>
          <h2>Runs</h2>
          <span class="small quiet">{entries.length}</span>
        </header>
        {runs.state === 'failed' && <p class="empty">{runs.why}</p>}
        {runs.state === 'there' && entries.length === 0 && <p class="empty">No run yet.</p>}
        {entries.map(({ run: name, live, finished, started, summary }) => (
          <button key={name} type="button" aria-pressed={name === chosen} onClick={() => setRun(name)}>
            <b>{name}</b>
            <span class="small">{live ? 'goes on now' : finished ? 'finished' : 'not finished'}</span>
            <span class="small">
              {new Date(started).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}
              {summary && ` · ${summary.robotMinutes.toFixed(1)} robot min`}
            </span>
          </button>
        ))}
      </aside>
      {chosen && <RunView key={chosen} run={chosen} />}
    </main>
  )
}

const given = ({ steering, speaking }: OperatorTime) =>
  `${steering.toFixed(0)} s by hand${speaking === undefined ? '' : `, ${speaking.toFixed(0)} s by word`}`

function RunView({ run }: { run: string }) {
  const loaded = useLoaded(run, () => api.run(run))
  if (loaded.state === 'loading') return <p class="card empty">Loading {run} …</p>
  if (loaded.state === 'failed') return <p class="card empty">{loaded.why}</p>
  return <RunBody detail={loaded.value} />
}

function RunBody({ detail }: { detail: RunDetail }) {
  const [of, setPart] = useState(detail.parts[0] ?? 'online')
  const tasks = useMemo(() => (detail.settings.tasks as string[] | undefined) ?? [], [detail])
  const [shown, setShown] = useState<number | null>(null)
  const clock = useMemo(() => clocksOf(detail.rate ?? undefined).robot, [detail])
  const moment = detail.metrics.find((metric) => metric.kind === 'episode' && metric.episode === shown)
  const mark = of.startsWith('online') && moment ? clock.at(moment) : undefined
  const plans = useMemo(() => chartsOf(detail.metrics, null, tasks, clock), [detail, tasks, clock])
  const domain = domainOf(detail.metrics, clock)
  return (
    <div class="stack run-body">
      {detail.summary && (
        <section class="card result">
          {Object.entries(detail.summary.tasks).map(([task, { step0, success, interval, trials }]) => (
            <div key={task}>
              <b>{percent(success)}</b>
              <span>{task}</span>
              <span class="small quiet">
                {step0 !== undefined && `from ${percent(step0)}; `}
                {percent(interval[0])} to {percent(interval[1])} in {trials}
              </span>
            </div>
          ))}
          <div>
            <b>{percent(detail.summary.interventionShare)}</b>
            <span>steps by the operator</span>
            {detail.summary.operator && <span class="small quiet">{given(detail.summary.operator)}</span>}
            <span class="small quiet">{detail.summary.wallMinutes.toFixed(1)} wall minutes</span>
          </div>
        </section>
      )}
      {detail.parts.length > 1 && (
        <Choice
          label="Part of the run"
          options={detail.parts.map((value) => ({ value, words: value }))}
          value={of}
          onChange={setPart}
        />
      )}
      {detail.parts.length > 0 ? (
        <Episodes run={detail.run} rate={detail.rate ?? undefined} of={of} onShow={setShown} />
      ) : (
        <p class="card empty">No episode was logged.</p>
      )}
      <div class="chart-grid">
        {plans.map((plan) => (
          <Chart key={plan.title} {...plan} domain={domain} mark={mark} />
        ))}
      </div>
    </div>
  )
}

const ENDINGS: Record<EpisodeEntry['ending'], string> = {
  success: '✓ success',
  failure: '✕ failure',
  timeout: '– out of time',
  abort: '⏏ abort',
  interrupted: '… interrupted',
}
const FILTERS = {
  all: () => true,
  'with help': ({ operatorSteps }: EpisodeEntry) => operatorSteps > 0,
  spoken: ({ spokenSteps }: EpisodeEntry) => spokenSteps > 0,
  failed: ({ ending }: EpisodeEntry) => ending !== 'success',
} as const
type Filter = keyof typeof FILTERS

type EpisodesProps = { run: string; rate?: number; of: string; onShow: (episode: number | null) => void }

function Episodes({ run, rate, of, onShow }: EpisodesProps) {
  const list = useLoaded(`${run}/${of}`, () => api.episodes(run, of))
  const [chosen, setChosen] = useState<number | null>(null)
  const [filter, setFilter] = useState<Filter>('all')
  const entries = list.state === 'there' ? list.value : []
  const shown = entries.filter(FILTERS[filter]).reverse() // newest first
  const episode = entries.some((entry) => entry.episode === chosen) ? chosen : (shown[0]?.episode ?? null)
  useEffect(() => onShow(episode), [episode, onShow])
  return (
    <div class="episodes">
      <section class="card episode-list">
        <header>
          <h2>Episodes</h2>
          <select
            value={filter}
            aria-label="Which episodes"
            onChange={({ currentTarget }) => setFilter(currentTarget.value as Filter)}
          >
            {Object.keys(FILTERS).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </header>
        {list.state === 'loading' && <p class="empty">Loading …</p>}
        {list.state === 'failed' && <p class="empty">{list.why}</p>}
        <ol>
          {shown.map((entry) => (
            <li key={entry.episode}>
              <button type="button" aria-pressed={entry.episode === episode} onClick={() => setChosen(entry.episode)}>
                <span>
                  {entry.episode} · {entry.task}
                </span>
                <span class={`small ending-${entry.ending}`}>{ENDINGS[entry.ending]}</span>
                <span class="small">
                  {entry.length} steps
                  {entry.operatorSteps > 0 && ` · ${entry.operatorSteps} by hand`}
                  {entry.spokenSteps > 0 && ` · ${entry.spokenSteps} told`}
                </span>
              </button>
            </li>
          ))}
        </ol>
      </section>
      {episode !== null && <EpisodeView key={`${of}/${episode}`} run={run} rate={rate} of={of} episode={episode} />}
    </div>
  )
}

type EpisodeProps = { run: string; rate?: number; of: string; episode: number }

function EpisodeView({ run, rate, of, episode }: EpisodeProps) {
  const loaded = useLoaded(`${run}/${of}/${episode}`, () => api.episode(run, of, episode))
  const frame = useCallback(
    (step: number, camera: string) => api.frame(run, of, episode, step, camera),
    [run, of, episode],
  )
  if (loaded.state === 'loading') return <p class="card empty">Loading episode {episode} …</p>
  if (loaded.state === 'failed') return <p class="card empty">{loaded.why}</p>
  return <EpisodePlayer episode={loaded.value} rate={rate} frame={frame} />
}
