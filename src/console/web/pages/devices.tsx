/** @file Every input device: its axes as they are, what the robot is asked for, its buttons, and an alarm where it is dead. */
import { type AXIS_NAMES, KEYS } from '../../devices/index.ts'
import { ScreenPad } from '../panels/screen-pad.tsx'
import { Adjust, AxisBars } from '../panels/takeover.tsx'
import { useConsole } from '../parts/context.ts'
import { useStore } from '../parts/store.ts'

export function DevicesPage() {
  const { hand, connection } = useConsole()
  const { devices, active, mayAsk } = useStore(hand.view, (view) => view)
  return (
    <main class="page devices">
      <section class="card">
        <header>
          <h2>Devices</h2>
          <span class="small quiet">Grey: what the device says. Colour: what the robot is asked for.</span>
          <button
            type="button"
            disabled={!mayAsk}
            onClick={() =>
              hand.askForSpaceMouse?.().catch((error: unknown) => connection.tell(`No SpaceMouse: ${String(error)}`))
            }
          >
            Connect a SpaceMouse
          </button>
        </header>
        {!mayAsk && (
          <p class="empty">
            This browser has no WebHID (or the page is not on localhost or https). Chrome and Edge have it.
          </p>
        )}
        <div class="device-grid">
          {devices.map(({ name, raw, asked, engaged, fault, held }) => (
            <article key={name} class={`device ${engaged ? 'engaged' : ''} ${fault ? 'dead' : ''}`}>
              <header class="row spread">
                <h3>{name}</h3>
                <span class="small">
                  {fault ? `dead: ${fault.kind}` : engaged ? 'takes over' : name === active ? 'used last' : 'at rest'}
                </span>
              </header>
              <AxisBars raw={raw} asked={asked} />
              {fault && (
                <p class="alarm" role="alert">
                  {fault.words}
                </p>
              )}
              <p class="small quiet">{held.length ? `held: ${held.join(', ')}` : 'no button held'}</p>
            </article>
          ))}
        </div>
        <p class="small quiet">A gamepad appears here once a button on it was pressed.</p>
      </section>
      <section class="card mapping">
        <header>
          <h2>Mapping</h2>
        </header>
        <Adjust />
      </section>
      <section class="card">
        <header>
          <h2>Screen pad</h2>
        </header>
        <ScreenPad />
      </section>
      <section class="card keys">
        <header>
          <h2>Keys</h2>
          <span class="small quiet">by their place on the keyboard</span>
        </header>
        <dl>
          {Object.entries(KEYS).map(([code, meaning]) => (
            <div key={code}>
              <dt>
                <kbd>{code.replace('Key', '').replace('+', ' ')}</kbd>
              </dt>
              <dd>{wordsFor(meaning)}</dd>
            </div>
          ))}
        </dl>
      </section>
    </main>
  )
}

const WAYS: Record<(typeof AXIS_NAMES)[number], readonly [plus: string, minus: string]> = {
  x: ['forward', 'back'],
  y: ['left', 'right'],
  z: ['up', 'down'],
  roll: ['lean right', 'lean left'],
  pitch: ['tip forward', 'tip back'],
  yaw: ['turn left', 'turn right'],
}

function wordsFor(meaning: (typeof KEYS)[string]): string {
  if ('axis' in meaning) return WAYS[meaning.axis][meaning.sign > 0 ? 0 : 1]
  return 'grip' in meaning ? `${meaning.grip} the gripper` : meaning.button
}
