/** @file The live page: the robot, the person's controls, the curves, and what the run says. */
import { CurvesPanel } from '../panels/curves.tsx'
import { FlowPanel } from '../panels/flow.tsx'
import { CoachLine, HealthPanel, LabelPanel, TasksPanel } from '../panels/notes.tsx'
import { ScenePanel } from '../panels/scene.tsx'
import { StagePanel } from '../panels/stage.tsx'
import { TakeoverPanel } from '../panels/takeover.tsx'
import { TalkPanel } from '../panels/talk.tsx'
import { VerdictPanel } from '../panels/verdict.tsx'

export const LivePage = () => (
  <main class="live">
    <div class="live-main">
      <StagePanel />
      <CoachLine />
      <LabelPanel />
      <CurvesPanel />
    </div>
    <div class="live-side">
      <aside class="live-controls" aria-label="Controls">
        <ScenePanel />
        <TakeoverPanel />
        <TalkPanel />
        <VerdictPanel />
        <FlowPanel />
      </aside>
      <div class="live-notes">
        <HealthPanel />
        <TasksPanel />
      </div>
    </div>
  </main>
)
