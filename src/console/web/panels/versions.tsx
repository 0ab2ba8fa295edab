/** @file The weights that the robots of a fleet have, and the way back to earlier ones: held for a second, so that nobody does it by chance. */
import type { FleetVersion } from '../../protocol.ts'
import { useConsole, useModel } from '../parts/context.ts'
import { HoldButton } from '../parts/hold-button.tsx'

export function VersionsPanel() {
  const { connection } = useConsole()
  const fleet = useModel((model) => model.fleet)
  if (!fleet) return null
  const { newest, acting, chosen, failed } = fleet.versions
  const goBack = (version: number | null) => connection.ask({ kind: 'roll-back', version })
  return (
    <section class="card versions" aria-label="Weights">
      <header>
        <h2>Weights</h2>
        <span class="small quiet">the learner is at {newest ?? '–'}</span>
      </header>
      <p role="status">
        The robots get version <b>{acting ?? '–'}</b>
        {chosen ? `, which ${chosen.by} went back to.` : '.'}
      </p>
      {failed && (
        <p class="small" role="alert">
          Version {failed.version} stays back: {failed.successes} of {failed.trials} trials succeeded.
        </p>
      )}
      {chosen && <HoldButton onDone={() => goBack(null)}>Hold to let the newest out again</HoldButton>}
      <ol>
        {[...fleet.kept].reverse().map((kept) => (
          <li key={kept.version}>
            <span>
              {kept.version} <span class="small quiet">{aboutVersion(kept)}</span>
            </span>
            {kept.version === chosen?.version ? (
              <span class="small">in use</span>
            ) : (
              <HoldButton class="small-button" onDone={() => goBack(kept.version)}>
                Hold to go back
              </HoldButton>
            )}
          </li>
        ))}
      </ol>
      <p class="small quiet">
        The learner goes on learning; the robots keep what they get here until somebody changes it.
      </p>
    </section>
  )
}

const aboutVersion = ({ at, trial }: FleetVersion) =>
  `${new Date(at).toLocaleTimeString(undefined, { timeStyle: 'short' })}${trial ? ` · ${trial.successes} of ${trial.trials}` : ''}`
