/** @file `duet export`: takes what a run recorded or learned to other programs. One file a format. */
import type { Command } from 'commander'
import { registerLerobot } from './export/lerobot.ts'
import { registerMcap } from './export/mcap.ts'
import { registerPolicy } from './export/policy.ts'

export function register(program: Command): void {
  const group = program.command('export').description('write what a run recorded or learned for other programs')
  registerLerobot(group)
  registerMcap(group)
  registerPolicy(group)
}
