/** @file An observation to keep: a robot may use its memory again with its next step. */
import type { Observation } from './robot.ts'

export function ownObservation(observation: Observation): Observation {
  const { images, proprio } = observation
  const copies = Object.entries(images).map(([name, image]) => [name, { ...image, data: image.data.slice() }])
  return { ...observation, images: Object.fromEntries(copies), proprio: proprio.slice() }
}
