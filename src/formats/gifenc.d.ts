/** @file Types of the part of gifenc that we use (the package ships none). */
declare module 'gifenc' {
  type Encoder = {
    writeFrame(index: Uint8Array, width: number, height: number, options: { palette: number[][]; delay: number }): void
    finish(): void
    bytes(): Uint8Array
  }
  export function GIFEncoder(): Encoder
  export function quantize(rgba: Uint8Array, maxColours: number): number[][]
  export function applyPalette(rgba: Uint8Array, palette: number[][]): Uint8Array
}
