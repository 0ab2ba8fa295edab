/** @file `duet export`: what a run recorded and learned, in the formats of others; a file each. */
import type { Command } from 'commander'
import { registerLerobot } from './export-lerobot.ts'

export function register(program: Command): void {
  const group = program.command('export').description('take away what a run recorded or learned, in formats of others')
  registerLerobot(group)
}
