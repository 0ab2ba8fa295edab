/** @file Mangled bytes, a million of them, to all that a learner reads from the broker. `npx tsx scripts/fuzz-wire.ts [messages] [seed]` */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fuzz } from '../tests/fleet/fuzz.ts'

const [messages = 1_000_000, seed = 0] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'duet-fuzz-'))
const before = process.memoryUsage().rss
const began = performance.now()
const BATCH = 10_000 // messages to one learner: a number of many digits leaves few behind it
const strange: string[] = []
const counts: Record<string, number> = {}
for (let done = 0; done < messages; done += BATCH) {
  const { strange: more, ...own } = await fuzz(Math.min(BATCH, messages - done), seed + done, folder)
  strange.push(...more)
  for (const [name, count] of Object.entries(own)) counts[name] = (counts[name] ?? 0) + count
}
const { user, system } = process.cpuUsage()
process.stdout.write(
  `${messages} messages, seed ${seed}: ${JSON.stringify(counts)}, ${strange.length} errors that should not be\n` +
    `${((performance.now() - began) / 1000).toFixed(0)} s, ${((user + system) / 1e6).toFixed(0)} s of a core, ` +
    `memory ${Math.round(before / 2 ** 20)} to ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB\n`,
)
for (const error of strange) process.stdout.write(`${error}\n`)
rmSync(folder, { recursive: true })
process.exitCode = strange.length > 0 ? 1 : 0
