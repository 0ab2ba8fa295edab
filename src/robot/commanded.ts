/** @file Every robot that this process commands, so that whoever ends the process can stop them first. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Robot } from './robot.ts'

const robots = new Set<Pick<Robot, 'stop'>>()

/** From now on `stopAll` stops it too. Returns what ends that. */
export function command(robot: Pick<Robot, 'stop'>): () => void {
  robots.add(robot)
  return () => void robots.delete(robot)
}

export const commandsAny = (): boolean => robots.size > 0

/** Tells all at once, before it returns; resolves when they have taken it, or after `patience` ms. Never rejects. */
export async function stopAll(patience = 300): Promise<void> {
  const stops = [...robots].map((robot) => robot.stop().catch(() => {}))
  if (stops.length > 0) await Promise.race([Promise.all(stops), sleep(patience, undefined, { ref: false })])
}
