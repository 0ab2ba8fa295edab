/** @file The report of a robot's bring-up: one file for programs, one for people. */
import { join } from 'node:path'
import { writeWhole } from '../../durable.ts'
import type { BringUpReport, RungReport } from './ladder.ts'

/** Whole under their names when this returns. `at`: when it began. */
export function writeBringUp(folder: string, report: BringUpReport, at: string): void {
  writeWhole(join(folder, 'report.json'), `${JSON.stringify({ at, ...report }, null, 2)}\n`)
  writeWhole(join(folder, 'report.txt'), `${[`${report.robot}, ${at}`, '', ...linesOf(report)].join('\n')}\n`)
}

export const linesOf = ({ rungs, notTried }: BringUpReport): string[] => [
  ...rungs.flatMap(linesOfRung),
  ...(notTried.length > 0 ? [`not tried: ${notTried.join(', ')}`] : []),
]

export const linesOfRung = ({ rung, passed, findings, look, why, remedy, seconds }: RungReport): string[] => [
  `${passed ? 'passed' : 'FAILED'}  ${rung} (${seconds} s)`,
  ...Object.entries(findings).map(
    ([name, value]) => `        ${name}: ${value === true ? 'yes' : value === false ? 'no' : value}`,
  ),
  ...(why === undefined ? [`        look: ${look}`] : [`        ${why}`, `        ${remedy}`]),
]
