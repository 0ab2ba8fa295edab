/** @file Talk: a box for words and a dial for directions. What is pointed at shows as an arrow in the views first. */
import { inBearing } from '../hand/bearing.ts'
import { useConsole, useModel } from '../parts/context.ts'
import { CommandBox } from '../talk/box.tsx'
import { Dial } from '../talk/dial.tsx'
import { useFrameCamera } from './takeover.tsx'

export function TalkPanel() {
  const { connection, preview } = useConsole()
  const camera = useFrameCamera()
  const tcp = useModel(({ state }) => (camera?.calibration?.mount === 'tool' ? (state?.tcp ?? null) : null))
  return (
    <section class="card talk">
      <header>
        <h2>Talk</h2>
        <span class="quiet small">
          as the robot sees it{camera && `, the dial turned to the ${camera.name} camera`} · lasts 1.5 s, hold for more
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
