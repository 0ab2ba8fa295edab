/** @file Encoders on a device: one observation on the CPU in f32, on the device in f32 and with products in f16; how long, and how far apart. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Device } from '../src/graph/index.ts'
import type { EncoderInput } from '../src/vla/encoder.ts'
import { cosine } from '../src/vla/int8/measure.ts'
import { drawnPicture } from '../src/vla/int8/pictures.ts'
import type { Precision } from '../src/vla/int8/precision.ts'
import { loadNano, NANO_FOLDER } from '../src/vla/nano/weights.ts'
import { openEncoder } from '../src/vla/open.ts'
import { cardMegabytes } from './gpu-means.ts'
import type { Piece } from './gpu-pieces.ts'
import { medianWithin, rounded } from './measure.ts'
import { openFrozenNano } from './nano-frozen.ts'
import { writeOcto, writeSmolVla } from './synthetic.ts'

/** An encoder that is open, before one observation. */
type Opened = { notes: readonly string[]; half: boolean; encode(): Promise<Float32Array>; close(): Promise<void> }

export type GpuEncoder = {
  name: string
  /** Makes its weights, if it has to. */
  prepare(folder: string): Promise<unknown>
  open(precision: Precision, device: Device, folder: string): Promise<Opened>
}

const frameOf = (cameras: readonly string[], side: number, proprio: number): EncoderInput => ({
  images: Object.fromEntries(cameras.map((camera, i) => [camera, drawnPicture(side, i)])),
  proprio: new Float32Array(proprio),
  instruction: 'pick up the bolt',
})

const published = (name: 'octo' | 'smolvla', cameras: string[], prepare: GpuEncoder['prepare']): GpuEncoder => ({
  name,
  prepare,
  async open(precision, device, folder) {
    const encoder = await openEncoder(name, { folder, cameras, precision, device })
    const frame = frameOf(cameras, 256, 6)
    return {
      notes: encoder.description.notes ?? [],
      half: encoder.description.half === true,
      encode: async () => (await encoder.encode([frame]))[0]!.h,
      close: () => encoder.close(),
    }
  },
})

/** Nano has the pictures and the proprioception of the workcell; the others random weights of the published sizes. */
export const GPU_ENCODERS: readonly GpuEncoder[] = [
  {
    name: 'nano',
    prepare: async () => undefined,
    async open(precision, device) {
      const { cameras, imageSize, proprio } = (await loadNano(NANO_FOLDER)).config
      const frame = frameOf(cameras, imageSize, proprio.mean.length)
      const nano = await openFrozenNano(precision, { device, frames: async () => [frame] })
      const { notes, half = false } = nano.compiler
      return { notes, half, encode: () => nano.encode(frame), close: () => nano.close() }
    },
  },
  published('octo', ['primary', 'wrist'], writeOcto),
  published('smolvla', ['camera1', 'camera2', 'camera3'], writeSmolVla),
]

type Options = {
  device: Device
  label: string // of the device, in figures
  seconds: number // each precision is measured for
  piece: Piece
  say: (line: string) => void
}

/** Figures of one encoder end in LoadSeconds, Ms, Ratio (the CPU's time over the device's), Cosine and Difference (of h, from the CPU's). */
export async function encoderOn(
  { name, prepare, open }: GpuEncoder,
  { device, label, seconds, piece, say }: Options,
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {}
  const folder = await mkdtemp(join(tmpdir(), `duet-bench-${name}-`))
  const measure = async (precision: Precision, on: Device) => {
    const [before, began] = [await cardMegabytes(), performance.now()]
    const opened = await open(precision, on, folder)
    try {
      const h = await opened.encode() // the first one sets up what a session puts off
      const loadSeconds = (performance.now() - began) / 1000
      const ms = await medianWithin(opened.encode, seconds)
      const after = await cardMegabytes()
      for (const note of opened.notes) if (/^(precision|memory):/.test(note)) say(`${name}: ${note}`)
      if (precision === 'f16' && !opened.half) throw new Error('it runs in f32')
      const grown = before === undefined || after === undefined ? undefined : after - before
      return { h, ms, loadSeconds, cardMegabytes: grown }
    } finally {
      await opened.close()
    }
  }
  let cpu: Awaited<ReturnType<typeof measure>> | undefined
  try {
    await piece(name, async () => {
      await prepare(folder)
      cpu = await measure('f32', 'cpu')
      figures[`${name}CpuLoadSeconds`] = rounded(cpu.loadSeconds)
      figures[`${name}CpuMs`] = rounded(cpu.ms)
      figures[`${name}LargestOfH`] = rounded(cpu.h.reduce((most, value) => Math.max(most, Math.abs(value)), 0))
    })
    if (cpu === undefined) return figures
    const { h: wanted, ms: cpuMs } = cpu
    for (const precision of ['f32', 'f16'] as const) {
      const key = `${name}${label}${precision.toUpperCase()}`
      await piece(key, async () => {
        const { h, ms, loadSeconds, cardMegabytes } = await measure(precision, device)
        figures[`${key}LoadSeconds`] = rounded(loadSeconds)
        figures[`${key}Ms`] = rounded(ms)
        figures[`${key}Ratio`] = rounded(cpuMs / ms)
        figures[`${key}Cosine`] = Number(cosine(h, wanted).toFixed(6))
        const difference = h.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0)
        figures[`${key}Difference`] = rounded(difference)
        if (device !== 'cuda' || cardMegabytes === undefined) return
        figures[`${key}CardMegabytes`] = cardMegabytes
        if (cardMegabytes <= 0) say(`${key}: the card's memory did not grow. Did it run there?`)
      })
    }
    return figures
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
