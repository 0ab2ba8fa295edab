/** @file What each stick and button of a pad means that the browser does not know: asked for one by one, kept by the browser. */
import { type ControlSource, PAD_BUTTONS, PAD_WAYS, type PadControl } from '../../devices/index.ts'
import type { Drafting } from '../hand/gamepad-layouts.ts'
import { useConsole } from '../parts/context.ts'
import { useStore } from '../parts/store.ts'

export function GamepadMapping({ id }: { id: string }) {
  const { layouts } = useConsole().hand
  const drafting = useStore(layouts.drafting, (now) => (now?.id === id ? now : null))
  if (drafting) return <Draft {...drafting} />
  const mapped = layouts.of(id) !== null
  return (
    <div class="row wrap">
      <button type="button" class="small-button" onClick={() => layouts.begin(id)}>
        {mapped ? 'Change its mapping' : 'Map it'}
      </button>
      {mapped && (
        <button type="button" class="small-button" onClick={() => layouts.reset(id)}>
          Forget its mapping
        </button>
      )}
    </div>
  )
}

const PHASES = {
  'let go': 'let go of everything …',
  push: 'now push it all the way',
  'let go again': 'and let go of it',
} as const

function Draft({ draft, learning }: Drafting) {
  const { layouts } = useConsole().hand
  const row = (control: PadControl) => {
    const source = draft[control]
    const learns = learning?.control === control
    return (
      <li key={control} class={learns ? 'learning' : ''}>
        <span>{control}</span>
        <span class="small quiet" role={learns ? 'status' : undefined}>
          {learns ? PHASES[learning.phase] : source ? wordsFor(source) : '–'}
        </span>
        <button
          type="button"
          class="small-button"
          aria-label={`Set ${control}`}
          onClick={() => layouts.learn(control)}
          disabled={learns}
        >
          Set
        </button>
        <button
          type="button"
          class="small-button"
          aria-label={`Clear ${control}`}
          onClick={() => layouts.drop(control)}
          disabled={!source && !learns}
        >
          Clear
        </button>
      </li>
    )
  }
  return (
    <div class="gamepad-mapping">
      <p class="small quiet">
        It moves nothing meanwhile. Press Set, push one thing on the pad all the way, and let go of it. A stick that
        goes one way also goes the other.
      </p>
      <ul>{PAD_WAYS.map(row)}</ul>
      <ul>{PAD_BUTTONS.map(row)}</ul>
      <div class="row wrap">
        <button type="button" disabled={Object.keys(draft).length === 0} onClick={() => layouts.use()}>
          Use this mapping
        </button>
        <button type="button" onClick={() => layouts.leave()}>
          Cancel
        </button>
      </div>
    </div>
  )
}

function wordsFor(source: ControlSource): string {
  if (source.of === 'button') return `button ${source.index}`
  if (source.of === 'hat') return `hat on axis ${source.index}`
  return `axis ${source.index} ${source.full < source.rest ? 'down' : 'up'}`
}
