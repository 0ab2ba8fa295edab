import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Metric, MetricsWriter, readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { anEpisode, anEvaluation, anUpdate } from '../run/builders.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'duet-metrics-'))
  file = join(folder, 'metrics.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(...metrics: Metric[]) {
  const writer = MetricsWriter.open(file)
  for (const metric of metrics) writer.write(metric)
  writer.close()
}

describe('metrics', () => {
  it('reads back what was written, over two openings', () => {
    const metrics: Metric[] = [
      anEpisode({ task: 'pick' }),
      anUpdate({ figures: { 'refine.bc': 1, meanMu: 0.5 } }),
      anEvaluation({}),
      { kind: 'labels', time: 9, robotSteps: 90, counts: { 'move right': 3, '[null]': 1 } },
    ]
    write(...metrics.slice(0, 2))
    write(...metrics.slice(2))
    expect(readMetrics(file)).toEqual(metrics)
    expect(ofKind(readMetrics(file), 'labels')).toEqual([metrics[3]])
  })

  it('reads past a torn last line', () => {
    write(anEpisode({ episode: 1 }))
    appendFileSync(file, '{"kind":"episode","ti')
    expect(readMetrics(file)).toEqual([anEpisode({ episode: 1 })])
  })

  it('cuts a torn last line off before it appends', () => {
    write(anEpisode({ episode: 1 }))
    appendFileSync(file, '{"kind":"episode","ti')
    write(anEpisode({ episode: 2 }))
    expect(readMetrics(file)).toEqual([anEpisode({ episode: 1 }), anEpisode({ episode: 2 })])
  })

  it('keeps a diverged loss as a gap, not as an error', () => {
    write(anUpdate({ figures: { 'critic.td': Number.POSITIVE_INFINITY, 'critic.loss': Number.NaN } }))
    const [update] = ofKind(readMetrics(file), 'update')
    expect(update!.figures['critic.td']).toBeNaN()
    expect(readFileSync(file, 'utf8')).toContain('"critic.td":null')
  })

  it('reads the updates of runs that noted each part in a field of its own', () => {
    const line =
      '{"kind":"update","time":1,"robotSteps":2,"update":3,"phase":"online","critic":{"td":0.5,"loss":null},"meanQ":{"place":0.25},"gradientNorm":{"head":2},"meanMu":0.125}\n'
    writeFileSync(file, line)
    const [update] = ofKind(readMetrics(file), 'update')
    expect(update!.figures).toEqual({
      'critic.td': 0.5,
      'critic.loss': Number.NaN,
      'meanQ.place': 0.25,
      'gradientNorm.head': 2,
      meanMu: 0.125,
    })
  })

  it('names file, line and field of what it cannot read', () => {
    write(anEpisode({}))
    appendFileSync(file, '{"kind":"episode","time":1}\n')
    expect(() => readMetrics(file)).toThrow(/metrics\.jsonl:2: field "robotSteps"/)
    writeFileSync(file, 'nonsense\n')
    expect(() => readMetrics(file)).toThrow(/metrics\.jsonl:1: is not JSON/)
    expect(() => readMetrics(join(folder, 'no.jsonl'))).toThrow(/no\.jsonl: is missing/)
  })
})
