/** @file Who told a robot what from a terminal of this machine: one JSON line each, beside the faults. What is told at a console is in its run's journal. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { faultFolder } from './fault-file.ts'

/** Who sits at the terminal, as far as the machine knows. */
export const whoIsThere = (): string => userInfo().username

export function noteOrder(order: 'stop' | 'clear' | 'park' | 'check', robot: string, folder = faultFolder()): void {
  mkdirSync(folder, { recursive: true })
  const line = { time: new Date().toISOString(), order, robot, by: whoIsThere() }
  appendFileSync(join(folder, 'orders.jsonl'), `${JSON.stringify(line)}\n`)
}
