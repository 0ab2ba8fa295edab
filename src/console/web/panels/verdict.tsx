/** @file What the person says of the episode: success, failure, abort, and three seconds to take it back. */
import type { Verdict } from '../../../robot/operator.ts'
import { TIMES } from '../../protocol.ts'
import { sceneInFocus } from '../link/model.ts'
import { useConsole, useModel } from '../parts/context.ts'
import { useTicker } from '../parts/ticker.ts'

const VERDICTS: readonly { verdict: Verdict; sign: string; key: string }[] = [
  { verdict: 'success', sign: '✓', key: 'Enter' },
  { verdict: 'failure', sign: '✕', key: '⌫' },
  { verdict: 'abort', sign: '⏏', key: 'X' },
]

export function VerdictPanel() {
  const { connection } = useConsole()
  const waiting = useModel((model) => model.verdict)
  const laying = useModel((model) => sceneInFocus(model) !== null) // no episode goes on
  useTicker(100, waiting !== null)
  const left = waiting ? Math.max(0, waiting.until - performance.now()) : 0
  return (
    <section class="card verdicts">
      <header>
        <h2>Verdict</h2>
        <span class="quiet small">
          {waiting ? `${waiting.by || 'a person'} says ${waiting.verdict}` : 'ends the episode'}
        </span>
      </header>
      <div class="verdict-buttons">
        {VERDICTS.map(({ verdict, sign, key }) => (
          <button
            key={verdict}
            type="button"
            class={`verdict ${verdict}`}
            disabled={laying}
            aria-pressed={waiting?.verdict === verdict}
            onClick={() => connection.operate({ kind: 'verdict', verdict })}
          >
            <span aria-hidden="true">{sign}</span>
            {verdict}
            <kbd>{key}</kbd>
          </button>
        ))}
      </div>
      {waiting && (
        <div class="undo" role="status">
          <button type="button" class="small-button" onClick={() => connection.operate({ kind: 'undo' })}>
            Undo <kbd>Z</kbd>
          </button>
          <span class="undo-track" aria-hidden="true">
            <i style={{ transform: `scaleX(${left / TIMES.undo})` }} />
          </span>
          <button type="button" class="small-button" onClick={() => connection.operate({ kind: 'confirm' })}>
            Now
          </button>
        </div>
      )}
    </section>
  )
}
