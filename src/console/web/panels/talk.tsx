/** @file Talk: a box for words and a dial for directions. What is pointed at shows as an arrow in the views first. */
import { inBearing } from '../hand/bearing.ts'
import { useConsole, useModel } from '../parts/context.ts'
import { useStore } from '../parts/store.ts'
import { CommandBox } from '../talk/box.tsx'
import { Dial } from '../talk/dial.tsx'

export function TalkPanel() {
  const { connection, hand, preview } = useConsole()
  const frame = useStore(hand.settings, (settings) => settings.frame)
  const camera = useModel(({ hello }) => hello?.cameras.find(({ name }) => name === frame))
  const tcp = useModel(({ state }) => (camera?.calibration?.mount === 'tool' ? (state?.tcp ?? null) : null))
  return (
    <section class="card talk">
      <header>
        <h2>Talk</h2>
        <span class="quiet small">
          {camera ? `as the ${camera.name} camera sees it` : 'as the robot sees it'} · lasts 1.5 s, hold for more
        </span>
      </header>
      <CommandBox
        onCommand={(text, source) => connection.operate({ kind: 'command', text, source })}
        onHalt={(message) => connection.ask(message)}
      />
      <Dial
        turn={inBearing(camera, tcp)}
        onSay={(text) => connection.operate({ kind: 'command', text, source: 'clicked' })}
        onSilence={() => connection.operate({ kind: 'silence' })}
        onPreview={preview.set}
      />
    </section>
  )
}
