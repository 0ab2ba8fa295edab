/** @file A tiny dataset with pictures in its rows. */
import sharp from 'sharp'
import { aTinySet, putParquet, rowsOf } from './tiny-set.ts'

/** Frame t of all is of one grey, `greys[t]`, 8 × 8 pixels, under observation.images.top. */
export async function episodePictures(
  lengths: Readonly<Record<number, number>>,
  fps: number,
): Promise<{ folder: string; greys: number[] }> {
  const count = Object.values(lengths).reduce((sum, length) => sum + length, 0)
  const greys = Array.from({ length: count }, (_, t) => 20 * t)
  const png = (grey: number) =>
    sharp({ create: { width: 8, height: 8, channels: 3, background: { r: grey, g: grey, b: grey } } })
      .png()
      .toBuffer()
  const bytes = await Promise.all(greys.map(async (grey) => new Uint8Array(await png(grey))))
  const folder = aTinySet(
    { fps },
    { 'observation.images.top': { dtype: 'image', shape: [8, 8, 3], names: null } },
    lengths,
  )
  putParquet(folder, 'data/chunk-000/file-000.parquet', [...rowsOf(lengths, fps), ['observation.images.top', bytes]])
  return { folder, greys }
}
