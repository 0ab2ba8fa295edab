/** @file Every input device: its axes as they are, what the robot is asked for, its buttons, and an alarm where it is dead. */
import { type DeviceFault, KEYS, WAYS } from '../../devices/index.ts'
import type { DeviceView } from '../hand/hand.ts'
import { GamepadMapping } from '../panels/gamepad-mapping.tsx'
import { ScreenPad } from '../panels/screen-pad.tsx'
import { Adjust, AxisBars } from '../panels/takeover.tsx'
import { useConsole } from '../parts/context.ts'
import { useStore } from '../parts/store.ts'

export function DevicesPage() {
  const { hand } = useConsole()
  const { devices, active, mayAsk, troubles } = useStore(hand.view, (view) => view)
  return (
    <main class="page devices">
      <section class="card">
        <header>
          <h2>Devices</h2>
          <span class="small quiet">Grey: what the device says. Colour: what the robot is asked for.</span>
          <button type="button" disabled={!mayAsk} onClick={() => void hand.askForSpaceMouse()}>
            Connect a SpaceMouse
          </button>
        </header>
        {troubles.map(({ words, lines }) => (
          <div key={words} class="alarm trouble" role="alert">
            {words}
            {lines && <pre>{lines.join('\n')}</pre>}
          </div>
        ))}
        <div class="device-grid">
          {devices.map((device) => (
            <DeviceCard key={device.name} {...device} usedLast={device.name === active} />
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

function DeviceCard({ name, raw, asked, engaged, fault, held, unknown, usedLast }: DeviceView & { usedLast: boolean }) {
  return (
    <article class={`device ${engaged ? 'engaged' : ''} ${fault ? 'dead' : ''}`}>
      <header class="row spread">
        <h3>{name}</h3>
        <span class="small">
          {fault ? FAULTS[fault.kind] : engaged ? 'takes over' : usedLast ? 'used last' : 'at rest'}
        </span>
      </header>
      <AxisBars raw={raw} asked={asked} />
      {fault && (
        <p class="alarm" role="alert">
          {fault.words}
        </p>
      )}
      <p class="small quiet">{held.length ? `held: ${held.join(', ')}` : 'no button held'}</p>
      {unknown !== null && <GamepadMapping id={unknown} />}
    </article>
  )
}

const FAULTS: Record<DeviceFault['kind'], string> = {
  disconnected: 'dead: disconnected',
  silent: 'dead: silent',
  stuck: 'dead: stuck',
  'unknown layout': 'not mapped',
  'not at rest': 'waits for its rest',
}

function wordsFor(meaning: (typeof KEYS)[string]): string {
  if ('axis' in meaning) return WAYS[meaning.axis][meaning.sign > 0 ? 0 : 1]
  return 'grip' in meaning ? `${meaning.grip} the gripper` : meaning.button
}
