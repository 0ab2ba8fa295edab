/**
 * @file What a bad network does to a fleet: one row for each, by `fleet-traffic.ts` between two network namespaces. Needs root,
 * `ip` and `socat`. `npx tsx scripts/fleet-network.ts [seconds] [row ...]`
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const [length = '60', ...wanted] = process.argv.slice(2)
const ROWS: Record<string, { loss?: number; delay?: number; cut?: number }> = {
  plain: { delay: 1 },
  'loss 1 %': { loss: 1 },
  'loss 5 %': { loss: 5 },
  'loss 20 %': { loss: 20 },
  'delay 100 ms': { delay: 100 },
  'cut 1 s': { cut: 1 },
  'cut 8 s': { cut: 8 },
  'cut 30 s': { cut: 30 },
  'cut 60 s': { cut: 60 },
  'cut 600 s': { cut: 600 },
}
const whenAfter = (...all: (number | null)[]) => all.map((s) => s?.toFixed(1) ?? '').join(', ')
const traffic = fileURLToPath(new URL('fleet-traffic.ts', import.meta.url))

process.stdout.write(
  '| network | steps made | in the replay | p50 ms | p99 ms | longest s | heard again, whole again after s | latest tick ms |\n',
)
process.stdout.write('| --- | --- | --- | --- | --- | --- | --- | --- |\n')
for (const [name, { loss = 0, delay = 0, cut = 0 }] of Object.entries(ROWS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const lasts = Math.max(Number(length), 2 * cut)
  const words = ['--seconds', lasts, '--loss', loss, '--delay', delay, '--cut', cut, '--json'].map(String)
  const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, traffic, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) {
    process.stdout.write(`| ${name} | failed | | | | | | |\n`)
    process.exitCode = 1
    continue
  }
  const { made, transitions, p50, p99, most, after, tick } = JSON.parse(stdout)
  const times = [
    p50.toFixed(1),
    p99.toFixed(0),
    (most / 1000).toFixed(1),
    whenAfter(after.first, after.last),
    tick.toFixed(0),
  ]
  const row = [name, made, transitions, ...times]
  process.stdout.write(`| ${row.join(' | ')} |\n`)
}
