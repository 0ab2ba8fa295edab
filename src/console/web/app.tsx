/** @file The page as a whole: bar, the page that the address names, and what must be seen from everywhere. */
import { useEffect, useState } from 'preact/hooks'
import { current } from './link/model.ts'
import { DevicesPage } from './pages/devices.tsx'
import { EvaluationPage } from './pages/evaluation.tsx'
import { FleetPage } from './pages/fleet.tsx'
import { LivePage } from './pages/live.tsx'
import { RecordPage } from './pages/record.tsx'
import { SessionsPage } from './pages/sessions.tsx'
import { SettingsPage } from './pages/settings.tsx'
import { PAGES, PAGES_OF, type PageName, TopBar } from './panels/topbar.tsx'
import { useModel } from './parts/context.ts'
import { useTicker } from './parts/ticker.ts'

const VIEWS: Record<PageName, () => preact.JSX.Element> = {
  fleet: FleetPage,
  live: LivePage,
  record: RecordPage,
  evaluation: EvaluationPage,
  sessions: SessionsPage,
  devices: DevicesPage,
  settings: SettingsPage,
}

const nameIn = (hash: string): PageName => PAGES.find((name) => hash === `#${name}`) ?? 'live'

export function App() {
  const [page, setPage] = useState(nameIn(location.hash))
  const pages = useModel((model) => PAGES_OF[model.hello?.mode ?? 'live'])
  useEffect(() => {
    const follow = () => setPage(nameIn(location.hash))
    window.addEventListener('hashchange', follow)
    return () => window.removeEventListener('hashchange', follow)
  }, [])
  const shown = pages.includes(page) ? page : pages[0]!
  const View = VIEWS[shown]
  return (
    <>
      <div class="head">
        <TopBar page={shown} />
        <LineBanner />
        <LateBanner />
        <EndBanner />
      </div>
      <View />
      <Notices />
    </>
  )
}

/** A lost line is said over the whole width, on every page. */
function LineBanner() {
  const link = useModel((model) => model.link)
  const lostAt = useModel((model) => model.lostAt)
  useTicker(500, link !== 'open')
  if (link === 'open') return null
  const seconds = lostAt === null ? 0 : Math.round((performance.now() - lostAt) / 1000)
  return (
    <div class={`line-banner ${link}`} role="alert">
      {link === 'connecting' && 'Connecting to the robot …'}
      {link === 'outdated' && 'This page is of another version than its server. Load it again.'}
      {link === 'lost' && (
        <>
          <b>Connection lost{seconds > 0 && ` ${seconds} s ago`}.</b> What you see is old. If your hand was on the
          robot, it holds still. Trying again …
        </>
      )}
    </div>
  )
}

/** The hand's inputs arrive too late to be followed. */
function LateBanner() {
  const late = useModel((model) => model.late)
  useTicker(250, late !== null)
  if (!late || performance.now() > late.until) return null
  return (
    <div class="line-banner lost late" role="alert">
      <b>Your input arrives too old ({(late.age / 1000).toFixed(1)} s).</b> The arm holds still. Let go and try again;
      if it stays so, use a cable or come nearer to the Wi-Fi, close what loads this computer, and load this page again.
    </div>
  )
}

/** The run is over: how it ended, and where its result is. */
function EndBanner() {
  const ended = useModel((model) => model.ended)
  if (!ended) return null
  const { error, summary } = ended
  return (
    <div class={`line-banner ${error ? 'failed' : ''}`} role="status">
      <b>{summary || error ? 'The run has ended.' : 'The evaluation is over.'}</b>{' '}
      {error ?? (summary ? 'Its result and every episode are under ' : 'The terminal has its result, too.')}
      {summary && <a href="#sessions">Sessions</a>}
    </div>
  )
}

function Notices() {
  const notices = useModel((model) => model.notices)
  useTicker(1000, notices.length > 0)
  return (
    <ul class="notices" aria-live="assertive">
      {current(notices, performance.now()).map(({ id, words }) => (
        <li key={id}>{words}</li>
      ))}
    </ul>
  )
}
