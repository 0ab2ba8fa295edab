/** @file The slider of the speed. */

/** The slider is logarithmic from a tenth of real time to the run's own speed. */
const SLOWEST = 0.1
export const toSlider = (speed: number, fastest: number) => Math.log(speed / SLOWEST) / Math.log(fastest / SLOWEST)
export const toSpeed = (share: number, fastest: number) => {
  const speed = SLOWEST * (fastest / SLOWEST) ** share
  return Math.abs(speed - 1) < 0.12 ? 1 : Number(speed.toPrecision(2))
}
export const wordsForSpeed = (speed: number) =>
  speed === 1 ? 'real time' : `${speed < 10 ? speed : Math.round(speed)} ×`
