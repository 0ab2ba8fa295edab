/** @file Parts of a robot that get hot, or whose supply sinks: said before they become a fault. */
import type { MetricOf } from '../../metrics/metrics.ts'
import type { Finding } from './flat-task.ts'

type Condition = MetricOf<'condition'>['parts'][number]

const WARM = 10 // °C below the limit at which a part is a fault; a small servo under load gains that in minutes
const SUNK = 0.15 // of the voltage at its first reading: a supply that gives way, or a battery near its end

export class Parts {
  private readonly first = new Map<string, number>() // V, by part
  private readonly last = new Map<string, Condition>()

  hear({ robot, parts }: MetricOf<'condition'>): void {
    for (const condition of parts) {
      const name = `${condition.part} of ${robot}`
      if (!this.first.has(name)) this.first.set(name, condition.voltage)
      this.last.set(name, condition)
    }
  }

  findings(): Finding[] {
    return [...this.last].flatMap(([name, { temperature, hottest, voltage }]) => {
      const first = this.first.get(name)!
      const hot = temperature > hottest - WARM && {
        sign: `part ${name} hot`,
        words: `${name} gets hot.`,
        figure: `${temperature} °C, at ${hottest} °C the robot stops`,
        advice: 'Let it rest; see whether something holds it up, or whether its start pose makes it carry too much',
      }
      const weak = voltage < (1 - SUNK) * first && {
        sign: `part ${name} low voltage`,
        words: `${name} gets less voltage than it did.`,
        figure: `${voltage.toFixed(1)} V, at first ${first.toFixed(1)} V`,
        advice: 'Check the power supply and its plugs, then the cable between the servos',
      }
      return [hot, weak].filter((finding) => finding !== false)
    })
  }
}
