/** @file The hand: take over and give back, what the device in use says, and how its pushes become motion. */
import { useEffect } from 'preact/hooks'
import { AXIS_NAMES, type AxisName } from '../../devices/index.ts'
import { frameCamera } from '../hand/settings.ts'
import type { Model } from '../link/model.ts'
import { Choice } from '../parts/choice.tsx'
import { useConsole, useModel } from '../parts/context.ts'
import { useStore } from '../parts/store.ts'
import { isPlaced } from '../view/projection.ts'

const toldTool = ({ state }: Model) => state?.tcp != null

/** The camera whose forward counts; none where it is the robot's. */
export function useFrameCamera() {
  const { hand } = useConsole()
  const frame = useStore(hand.settings, (settings) => settings.frame)
  return useModel((model) => frameCamera(frame, model.hello?.cameras ?? [], toldTool(model)))
}

export function TakeoverPanel() {
  const { hand } = useConsole()
  const { engaged, active, devices } = useStore(hand.view, (view) => view)
  const holding = useModel(({ control }) => control?.holding ?? false)
  const evaluated = useModel(({ state }) => state?.stage === 'evaluation')
  const settings = useStore(hand.settings, (all) => all)
  const camera = useFrameCamera()
  const device = devices.find(({ name }) => name === active) ?? devices[0]
  const faults = devices.flatMap(({ name, fault }) => (fault ? [{ name, words: fault.words }] : []))
  const press = (down: boolean) => hand.pad.press('hand over', down)
  useEffect(() => () => press(false), [hand]) // a button that is gone hears of no finger
  return (
    <section class={`card takeover ${engaged ? 'engaged' : ''}`}>
      <header>
        <h2>Hand</h2>
        <span class="quiet small">
          {evaluated ? 'an evaluation: nobody helps' : wordsFor(engaged, holding, active)}
        </span>
      </header>
      <div class="takeover-buttons">
        <button
          type="button"
          class={`takeover-hold ${engaged ? 'filled' : ''}`}
          onPointerDown={() => press(true)}
          onPointerUp={() => press(false)}
          onPointerLeave={() => press(false)}
          onPointerCancel={() => press(false)}
          onContextMenu={(event) => event.preventDefault()}
          title="While you hold it the arm follows you, and stands still where you do not push"
        >
          Hold to take over <kbd>H</kbd>
        </button>
        <button
          type="button"
          onClick={() => {
            if (engaged) hand.letGo()
            else {
              hand.pad.press('toggle', true)
              hand.pad.press('toggle', false)
            }
          }}
        >
          {engaged ? 'Give back' : 'Keep'} <kbd>T</kbd>
        </button>
      </div>
      <AxisBars raw={device?.raw} />
      {faults.map(({ name, words }) => (
        <p key={name} class="alarm" role="alert">
          <b>{name}</b> {words}
        </p>
      ))}
      <details class="adjust">
        <summary>
          Adjust
          <span class="quiet small">
            {' '}
            {Math.round(100 * settings.translation)} % · {camera ? `${camera.name} camera’s frame` : 'robot’s frame'}
            {settings.locked.length > 0 && ` · locked: ${settings.locked.join(', ')}`}
          </span>
        </summary>
        <Adjust />
      </details>
    </section>
  )
}

function wordsFor(engaged: boolean, holding: boolean, active: string | null): string {
  if (engaged && holding) return `you act, ${active}`
  if (engaged) return 'taking over …'
  if (holding) return 'somebody’s hand is on the arm'
  return 'push any device to take over'
}

/** Six axes, rest in the middle. */
export function AxisBars({ raw, asked }: { raw?: readonly number[]; asked?: readonly number[] }) {
  return (
    <ul class="axes">
      {AXIS_NAMES.map((name, i) => (
        <li key={name}>
          <span class="quiet">{name}</span>
          <span class="axis-track" role="img" aria-label={`${name} ${(raw?.[i] ?? 0).toFixed(2)}`}>
            <i style={barStyle(raw?.[i] ?? 0)} />
            {asked && <i class="axis-asked" style={barStyle(asked[i]!)} />}
          </span>
        </li>
      ))}
    </ul>
  )
}

const barStyle = (value: number) => ({
  left: `${50 + Math.min(0, value) * 50}%`,
  width: `${Math.abs(value) * 50}%`,
})

export function Adjust() {
  const { hand } = useConsole()
  const settings = useStore(hand.settings, (all) => all)
  const cameras = useModel((model) => model.hello?.cameras)
  const tool = useModel(toldTool)
  const camera = useFrameCamera()
  const toggle = (axis: AxisName) =>
    hand.change({
      locked: settings.locked.includes(axis)
        ? settings.locked.filter((one) => one !== axis)
        : [...settings.locked, axis],
    })
  return (
    <div class="stack adjust-body">
      <Slider
        label="Scale of shifts"
        value={settings.translation}
        low={0.05}
        onChange={(translation) => hand.change({ translation })}
      />
      <Slider
        label="Scale of turns"
        value={settings.rotation}
        low={0.05}
        onChange={(rotation) => hand.change({ rotation })}
      />
      <Slider
        label="Dead zone"
        value={settings.deadZone ?? 0}
        high={0.4}
        words={settings.deadZone === null ? 'each device’s own' : undefined}
        onChange={(deadZone) => hand.change({ deadZone: deadZone === 0 ? null : deadZone })}
      />
      <Slider
        label="Finer near rest"
        value={settings.exponent - 1}
        words={settings.exponent === 1 ? 'linear' : `exponent ${settings.exponent.toFixed(1)}`}
        onChange={(more) => hand.change({ exponent: 1 + more })}
      />
      <fieldset>
        <legend>Lock axes</legend>
        <div class="row wrap">
          {AXIS_NAMES.map((axis) => (
            <button
              key={axis}
              type="button"
              class="small-button"
              aria-pressed={settings.locked.includes(axis)}
              onClick={() => toggle(axis)}
            >
              {axis}
            </button>
          ))}
          <button
            type="button"
            class="small-button"
            aria-pressed={settings.dominant}
            onClick={() => hand.change({ dominant: !settings.dominant })}
          >
            strongest only
          </button>
        </div>
      </fieldset>
      <div>
        <p class="small caption">Whose forward</p>
        <Choice
          label="Whose forward"
          options={[
            { value: 'base', words: 'robot’s' },
            ...(cameras ?? [])
              .filter((one) => isPlaced(one, tool))
              .map(({ name }) => ({ value: name, words: `${name} camera’s` })),
          ]}
          value={camera?.name ?? 'base'}
          onChange={(frame) => hand.change({ frame })}
        />
      </div>
      <button
        type="button"
        class="small-button"
        aria-pressed={settings.touch}
        onClick={() => hand.change({ touch: !settings.touch })}
      >
        A push alone takes over
      </button>
    </div>
  )
}

type SliderProps = {
  label: string
  value: number
  low?: number
  high?: number
  words?: string
  onChange: (value: number) => void
}

export const Slider = ({ label, value, low = 0, high = 1, words, onChange }: SliderProps) => (
  <label class="slider">
    <span>{label}</span>
    <output>{words ?? `${Math.round(100 * value)} %`}</output>
    <input
      type="range"
      min={low}
      max={high}
      step={0.01}
      value={value}
      onInput={(event) => onChange(Number(event.currentTarget.value))}
    />
  </label>
)
