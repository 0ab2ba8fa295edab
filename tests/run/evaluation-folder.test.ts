/** @file The folder of an evaluation whose policy comes without a run: its own, and gone on with where it was stopped. */
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { evaluationFolder } from '../../src/run/evaluation-folder.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-evaluations-'))
afterAll(() => rmSync(runs, { recursive: true }))

const config = (seed = 1) => parseConfig('test', mergeSettings(presets.tiny, { seed }))
const named = (policy: string, seed?: number) => basename(evaluationFolder(runs, policy, config(seed)).path)

it('has the name of the policy, and a number where there has been one', () => {
  expect(named('models/quick.onnx')).toBe('evaluation-of-quick.onnx')
  expect(named('ws://gpu:8000')).toBe('evaluation-of-gpu-8000')
  expect(named('models/quick.onnx')).toBe('evaluation-of-quick.onnx-2')
  expect(existsSync(join(runs, 'evaluation-of-gpu-8000', 'config.yaml'))).toBe(true)
})

it('is gone on with as long as trials of an evaluation with the same settings are kept in it', () => {
  const { path, trialsApart } = evaluationFolder(runs, 'arm.onnx', config())
  appendFileSync(trialsApart, '{}\n')
  expect(named('arm.onnx')).toBe(basename(path))
  expect(named('arm.onnx', 2)).toBe('evaluation-of-arm.onnx-2') // another seed is another evaluation
  rmSync(trialsApart) // it is over
  expect(named('arm.onnx')).toBe('evaluation-of-arm.onnx-3')
})
