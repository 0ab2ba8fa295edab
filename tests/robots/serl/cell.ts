/** @file An arm behind a SERL server, both ends ours: the workcell's gantry, served over HTTP, on a clock that passes when the robot waits. */

import type { RobotClock } from '../../../src/robot/clock.ts'
import { SerlConfig } from '../../../src/robots/serl/config.ts'
import { ServerConnection } from '../../../src/robots/serl/connection.ts'
import { SerlRobot } from '../../../src/robots/serl/robot.ts'
import { serlSpec } from '../../../src/robots/serl/spec.ts'
import type { Plant } from '../../../src/robots/workcell/serve/plant.ts'
import { serveWorkcell } from '../../../src/robots/workcell/serve/server.ts'
import { Between } from './between.ts'

/** The tool points down over the middle of the table, its fingers along x. */
export const START = [0.5, 0, 0.2, Math.PI, 0, Math.PI / 2] as const

export const settings = (url: string, more: object = {}) =>
  SerlConfig.parse({
    kind: 'serl',
    name: 'gantry',
    url,
    actionScale: { translation: 0.015, rotation: 0.1 },
    cameras: {},
    tasks: { pick: { instruction: 'pick up the bolt', maxSteps: 50 } },
    startPose: START,
    patience: 20, // s: a busy machine is no fault of the arm's
    safety: { workBox: { low: [0.3, -0.25, 0.03], high: [0.7, 0.25, 0.4] }, speed: 0.2 },
    ...more,
  })

export type SerlCell = {
  robot: SerlRobot
  plant: Plant
  between: Between // what stands between the two, and can spoil it
  config: SerlConfig
  clock: RobotClock
  close(): Promise<void>
}

export async function serlCell(more: object = {}): Promise<SerlCell> {
  const serving = await serveWorkcell({
    task: 'pick',
    seed: 0,
    port: 0,
    standing: true,
    cell: { arm: 'gantry', cameras: false },
  })
  const between = await Between.open(serving.url)
  const config = settings(between.url, more)
  const server = new ServerConnection(between.url, config.patience)
  let now = 0
  const clock: RobotClock = {
    now: () => now,
    async sleep(seconds) {
      await new Promise(setImmediate) // as a wait does, lets in what came meanwhile
      if (seconds <= 0) return
      serving.plant.pass(seconds)
      now += seconds
    },
  }
  const robot = new SerlRobot({ spec: serlSpec(config, 'A'), config, server, clock })
  return {
    robot,
    plant: serving.plant,
    between,
    config,
    clock,
    async close() {
      server.close()
      await between.close()
      await serving.close()
    },
  }
}
