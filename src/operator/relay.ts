/** @file Who tends a robot: a person as long as one is there, else the run's own operator, who steps back meanwhile. */

import type { Operator, Tending } from '../robot/operator.ts'
import type { Action, Observation } from '../robot/robot.ts'

export class Relay implements Operator {
  private task = ''
  private away = false // the run's own operator, since it last looked

  constructor(
    private readonly person: Operator,
    private readonly attends: () => boolean, // whether the person tends this robot
    private readonly own: Operator | undefined,
  ) {}

  begin(task: string): void {
    this.task = task
    this.away = false
    this.person.begin(task)
    this.own?.begin(task)
  }

  tend(observation: Observation, planned: Action): Tending {
    if (this.attends()) {
      this.away = true
      return this.person.tend(observation, planned)
    }
    if (this.away) this.own?.begin(this.task) // what it remembers of the scene is old
    this.away = false
    return this.own?.tend(observation, planned) ?? {}
  }
}
