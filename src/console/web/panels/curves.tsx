/** @file The run's curves, small and all alike, on one time axis: robot minutes or wall minutes. */
import { useMemo, useState } from 'preact/hooks'
import { Chart } from '../curves/chart.tsx'
import { type ClockName, chartsOf, clocksOf, domainOf } from '../curves/charts.ts'
import { Choice } from '../parts/choice.tsx'
import { useModel } from '../parts/context.ts'

/** `loop`: whether there is a control loop to draw. */
export function CurvesPanel({ loop: looped = true }: { loop?: boolean }) {
  const metrics = useModel((model) => model.metrics)
  const loop = useModel((model) => model.loop)
  const all = useModel((model) => model.hello?.tasks)
  const rate = useModel((model) => model.hello?.controlRate)
  const tasks = useMemo(() => (all ?? []).filter(({ trained }) => trained).map(({ name }) => name), [all])
  const begun = metrics.length > 0 && metrics[metrics.length - 1]!.robotSteps > 0
  const [chosen, choose] = useState<ClockName | null>(null)
  const name = chosen ?? (begun ? 'robot' : 'wall')
  const clock = useMemo(() => clocksOf(rate)[name], [rate, name])
  const plans = useMemo(
    () => chartsOf(metrics, looped ? loop : null, tasks, clock),
    [metrics, loop, looped, tasks, clock],
  )
  const domain = domainOf(metrics, clock)
  return (
    <section class="curves" aria-label="Curves">
      <header>
        <h2>Curves</h2>
        <span class="quiet small">
          Success of the last 20 episodes, with help and alone; dots: tests on fresh seeds; 95 % intervals
        </span>
        <Choice
          label="Time axis"
          options={(['robot', 'wall'] as const).map((value) => ({ value, words: `${value} minutes` }))}
          value={name}
          onChange={choose}
        />
      </header>
      <div class="chart-grid">
        {plans.map((plan) => (
          <Chart key={`${plan.title}/${name}`} {...plan} domain={domain} />
        ))}
      </div>
    </section>
  )
}
