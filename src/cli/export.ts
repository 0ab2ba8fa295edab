/** @file `duet export`: what a run made, in formats of others. One file a sub-command. */
import type { Command } from 'commander'
import { register as registerPolicy } from './export-policy.ts'

export function register(program: Command): void {
  const group = program.command('export').description('takes out what a run made, in formats that others read')
  registerPolicy(group)
}
