/** @file Pause and go on, and how fast a simulated robot runs while nobody has control. */
import { useConsole, useModel } from '../parts/context.ts'
import { toSlider, toSpeed, wordsForSpeed } from './speed.ts'

export function FlowPanel() {
  const { connection } = useConsole()
  const pace = useModel((model) => model.pace)
  const status = useModel((model) => model.robot?.status)
  const holder = useModel((model) => model.control?.holder ?? null)
  const robots = useModel((model) => model.hello?.robots ?? [])
  const inFocus = useModel((model) => model.state?.robot)
  const paused = status === 'paused' || status === 'pausing'
  return (
    <section class="card flow">
      <button type="button" class="pause" onClick={() => connection.operate({ kind: paused ? 'resume' : 'pause' })}>
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
          <path d={paused ? 'M2 0l10 6l-10 6z' : 'M1 0h3.5v12h-3.5z M7.5 0h3.5v12h-3.5z'} fill="currentColor" />
        </svg>
        {status === 'pausing' ? 'Pausing' : paused ? 'Resume' : 'Pause'}
      </button>
      {pace && pace.fastest > 1 && (
        <label class="slider speed">
          <span>Speed</span>
          <output>{holder ? 'real time, a person has control' : wordsForSpeed(pace.now)}</output>
          <input
            type="range"
            min={0}
            max={1}
            step={0.005}
            value={toSlider(pace.chosen, pace.fastest)}
            onChange={({ currentTarget: slider }) => {
              connection.operateOnce({ kind: 'speed', speed: toSpeed(Number(slider.value), pace.fastest) })
              slider.value = String(toSlider(pace.chosen, pace.fastest)) // until the server says otherwise
            }}
          />
        </label>
      )}
      {robots.length > 1 && (
        <label class="row small">
          Robot
          <select
            value={inFocus}
            onChange={({ currentTarget: list }) => {
              connection.operateOnce({ kind: 'focus', robot: list.value })
              if (inFocus !== undefined) list.value = inFocus // until the server shows another one
            }}
          >
            {robots.map(({ cell, name }) => (
              <option key={cell} value={cell}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
    </section>
  )
}
