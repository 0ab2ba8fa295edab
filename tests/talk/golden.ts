/** @file Reads the golden label cases, kept in tests/fixtures. */
import fs from 'node:fs'
import path from 'node:path'
import type { AxisNames } from '../../src/talk/vocabulary.ts'

const FOLDER = path.resolve(import.meta.dirname, '../fixtures/losses')
export const hasGolden = fs.existsSync(path.join(FOLDER, 'manifest.json'))

export type GoldenCase = {
  config: {
    window: number
    threshold_m: number
    metres_per_unit: number
    tie_m: number
    axes: AxisNames
    gamma: number
  }
  expect: { commands: (string | null)[] }
  tensor: (name: string) => Float32Array | Int32Array
}

export function goldenCase(id: string): GoldenCase {
  const manifest = JSON.parse(fs.readFileSync(path.join(FOLDER, 'manifest.json'), 'utf8'))
  const found = manifest.cases.find((entry: { id: string }) => entry.id === id)
  const bytes = fs.readFileSync(path.join(FOLDER, found.file))
  const start = 8 + Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, start).toString())
  return {
    ...found,
    tensor(name) {
      const [from, to] = header[name].data_offsets as [number, number]
      const copy = new Uint8Array(bytes.subarray(start + from, start + to)).buffer
      return header[name].dtype === 'I32' ? new Int32Array(copy) : new Float32Array(copy)
    },
  }
}
