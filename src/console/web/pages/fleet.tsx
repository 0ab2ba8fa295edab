/** @file The page of a fleet: its robots, those that need help first, and the weights that they have. */
import { CurvesPanel } from '../panels/curves.tsx'
import { FleetRobots } from '../panels/fleet-robots.tsx'
import { HealthPanel, TasksPanel } from '../panels/notes.tsx'
import { VersionsPanel } from '../panels/versions.tsx'

export const FleetPage = () => (
  <main class="live">
    <div class="live-main">
      <FleetRobots />
      <CurvesPanel loop={false} />
    </div>
    <div class="live-side">
      <VersionsPanel />
      <HealthPanel />
      <TasksPanel />
    </div>
  </main>
)
