/** @file The robots of a fleet, one card each, those that need help first. */
import { percent } from '../../../metrics/percent.ts'
import type { FleetRobot } from '../../protocol.ts'
import { useModel } from '../parts/context.ts'

export function FleetRobots() {
  const robots = useModel((model) => model.fleet?.robots ?? [])
  const needy = robots.filter(({ help }) => help !== null).length
  return (
    <section class="fleet" aria-label="Robots">
      <header>
        <h2>Robots</h2>
        <span class="small quiet">{needy > 0 ? `${needy} of ${robots.length} to look at` : 'all are well'}</span>
      </header>
      {robots.length === 0 && <p class="card empty">None has joined yet.</p>}
      <ul class="fleet-robots">
        {robots.map((robot) => (
          <RobotCard key={robot.robot} {...robot} />
        ))}
      </ul>
    </section>
  )
}

const seconds = (value: number | null) =>
  value === null ? '–' : value < 10 ? `${value.toFixed(2)} s` : `${Math.round(value)} s`

function RobotCard({ robot, share, lag, policyAge, episodes, success, heard, does, help, page }: FleetRobot) {
  const figures: [string, string, string][] = [
    ['success', success === null ? '–' : percent(success), 'Of the last 20 episodes, help included'],
    ['samples', percent(share), 'Its share of the steps that the learner samples from'],
    ['policy age', policyAge === null ? '–' : String(policyAge), 'Updates since those that its newest step rests on'],
    ['lag', seconds(lag), 'From a step to the replay, on the robot’s own clock'],
    ['episodes', String(episodes), ''],
    ['heard', heard === null ? '–' : `${Math.round(heard)} s ago`, ''],
  ]
  return (
    <li class={`card ${help ? 'needs-help' : ''}`}>
      <header>
        <h2>{robot}</h2>
        <span class="small quiet">{does ?? 'not heard yet'}</span>
        {page && (
          <a class="small" href={page} target="_blank" rel="noreferrer" title="Watch it, take over, talk, judge, stop">
            Tend it
          </a>
        )}
      </header>
      {help && (
        <p role="alert">
          <span class="warn-shape" aria-hidden="true">
            !
          </span>
          {help}
        </p>
      )}
      <dl>
        {figures.map(([name, value, title]) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </li>
  )
}
