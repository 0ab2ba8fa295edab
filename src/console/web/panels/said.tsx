/** @file The command in force: its words, where it came from, and how long it still lasts. */
import { useModel } from '../parts/context.ts'
import { useTicker } from '../parts/ticker.ts'

export function CommandPill() {
  const command = useModel((model) => model.command)
  useTicker(100, command !== null)
  const left = command ? command.until - performance.now() : 0
  if (!command || left <= 0) return null
  return (
    <div class="said" role="status">
      <b>{command.text}</b>
      <span>{command.said !== command.text ? `${command.source}: “${command.said}”` : command.source}</span>
      <i style={{ transform: `scaleX(${Math.min(1, left / command.lasts)})` }} aria-hidden="true" />
    </div>
  )
}
