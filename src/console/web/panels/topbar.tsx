/** @file The bar above all pages: where to go, which run this is, who has control, the line to the robot, and the stop. */
import { useState } from 'preact/hooks'
import { robotMinutes } from '../../../metrics/robot-time.ts'
import type { Hello } from '../../protocol.ts'
import { inControl, operated } from '../link/model.ts'
import { useConsole, useModel } from '../parts/context.ts'
import { HoldButton } from '../parts/hold-button.tsx'
import { useTicker } from '../parts/ticker.ts'

export const PAGES = ['fleet', 'live', 'record', 'evaluation', 'sessions', 'devices', 'settings'] as const
export type PageName = (typeof PAGES)[number]
const TITLES: Record<PageName, string> = {
  fleet: 'Fleet',
  live: 'Live',
  record: 'Record',
  evaluation: 'Evaluation',
  sessions: 'Sessions',
  devices: 'Devices',
  settings: 'Settings',
}

/** The first one is shown where the address names none of them. Where no run goes on there is nothing to operate. */
export const PAGES_OF: Record<Hello['mode'], readonly PageName[]> = {
  live: PAGES.filter((name) => name !== 'fleet'),
  replay: ['sessions', 'settings'],
  fleet: ['fleet', 'sessions', 'settings'],
}

export function TopBar({ page }: { page: PageName }) {
  const mode = useModel((model) => model.hello?.mode ?? 'live')
  const robots = useModel(operated)
  return (
    <header class="topbar">
      <a class="mark" href="#live" aria-label="Duet, live page">
        <svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true">
          <circle class="mark-primary" cx="10" cy="13" r="8" />
          <path class="mark-refinement" d="M17 4.5l8.5 8.5l-8.5 8.5l-8.5-8.5z" />
        </svg>
        <span>Duet</span>
      </a>
      <nav aria-label="Pages">
        {PAGES_OF[mode].map((name) => (
          <a key={name} href={`#${name}`} aria-current={name === page ? 'page' : undefined}>
            {TITLES[name]}
          </a>
        ))}
      </nav>
      <RunWords />
      {robots && (
        <>
          <Lease />
          <StopControl />
        </>
      )}
    </header>
  )
}

function RunWords() {
  const hello = useModel((model) => model.hello)
  const last = useModel((model) => model.metrics.at(-1))
  const progress = useModel((model) => model.progress)
  const ended = useModel((model) => model.ended)
  return (
    <div class="run-words">
      <b>{hello?.mode === 'replay' ? 'Replay' : (hello?.run ?? 'no run')}</b>
      <span class="quiet small">
        {hello?.mode === 'replay'
          ? 'runs that are over'
          : ended
            ? 'the run has ended'
            : progress && !progress.stage.startsWith('online')
              ? `${progress.stage}: ${progress.done} of ${progress.total}`
              : last
                ? `${robotMinutes(last.robotSteps, hello?.controlRate).toFixed(1)} robot min · ${(last.time / 60).toFixed(1)} wall min`
                : 'preparing'}
      </span>
      <Line />
    </div>
  )
}

/** How the line to the server is, in words. */
function Line() {
  const { connection } = useConsole()
  const link = useModel((model) => model.link)
  useTicker(1000)
  const trip = connection.clock.roundTrip
  return (
    <span class={`link ${link}`} role="status">
      {link === 'open'
        ? `connected${trip === null ? '' : `, ${trip < 10 ? trip.toFixed(1) : Math.round(trip)} ms`}`
        : link}
    </span>
  )
}

function Lease() {
  const { connection } = useConsole()
  const control = useModel((model) => model.control)
  const mine = useModel(inControl)
  const client = useModel((model) => model.hello?.client)
  if (!control) return <div class="lease" />
  const asked = control.waiting.some((person) => person.client === client)
  return (
    <div class={`lease ${mine ? 'mine' : ''}`}>
      <span class="lease-words">
        <b>
          {mine
            ? 'You have control'
            : control.holder
              ? `${control.holder.name || 'Somebody'} has control`
              : 'Nobody has control'}
        </b>
        <NameField />
      </span>
      {mine ? (
        control.waiting.length > 0 ? (
          control.waiting.map(({ client: to, name }) => (
            <button key={to} type="button" onClick={() => connection.ask({ kind: 'control', action: 'grant', to })}>
              Hand over to {name || 'a guest'}
            </button>
          ))
        ) : (
          <button type="button" onClick={() => connection.ask({ kind: 'control', action: 'release' })}>
            Give up
          </button>
        )
      ) : (
        <button
          type="button"
          title={asked ? 'You have asked for control; a click withdraws it' : undefined}
          onClick={() => connection.ask({ kind: 'control', action: asked ? 'release' : 'request' })}
        >
          {asked ? 'Asked · withdraw' : control.holder ? 'Ask for control' : 'Take control'}
        </button>
      )}
    </div>
  )
}

const OPERATORS = { person: 'a person tends', simulated: 'the simulated operator tends', none: 'nobody tends' } as const

/** Who tends the robot now; a click makes it this page's name. */
function NameField() {
  const { connection } = useConsole()
  const operator = useModel((model) => model.control?.operator ?? 'none')
  const [name, setName] = useState(localStorage.getItem('name') ?? '')
  const [editing, setEditing] = useState(false)
  if (!editing)
    return (
      <button type="button" class="plain name" onClick={() => setEditing(true)} title="Your name, as others see it">
        {OPERATORS[operator]} · {name ? `you are ${name}` : 'who are you?'}
      </button>
    )
  const done = () => {
    localStorage.setItem('name', name)
    if (name) connection.send({ kind: 'name', name })
    setEditing(false)
  }
  return (
    <input
      type="text"
      class="name"
      value={name}
      maxLength={40}
      placeholder="Your name"
      aria-label="Your name, as others see it"
      ref={(field) => field?.focus()}
      onInput={({ currentTarget }) => setName(currentTarget.value)}
      onBlur={done}
      onKeyDown={({ key }) => key === 'Enter' && done()}
    />
  )
}

/** The stop; once the robot says that it stands, the button that lets it go again, to be held for a second. */
function StopControl() {
  const { connection } = useConsole()
  const status = useModel((model) => model.robot?.status)
  if (status === 'stopped')
    return (
      <HoldButton class="clear" onDone={() => connection.operate({ kind: 'clear' })}>
        Hold to clear the stop
      </HoldButton>
    )
  return (
    <button
      type="button"
      class={`stop ${status === 'stopping' ? 'pressed' : ''}`}
      onPointerDown={() => connection.ask({ kind: 'stop' })}
      onClick={({ detail }) => detail === 0 && connection.ask({ kind: 'stop' })}
    >
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
        <path d="M4 0h6l4 4v6l-4 4h-6l-4-4v-6z" fill="currentColor" />
      </svg>
      {status === 'stopping' ? 'Stopping …' : 'Stop'}
      <kbd>Space</kbd>
    </button>
  )
}
