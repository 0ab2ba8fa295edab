/** @file A robot that goes exactly where it is sent, and a simulation that knows where that is. */
import { vector } from '../../src/robot/channels.ts'

type Point = [number, number, number]

/** `metres`: of a whole action unit, in each of 10 steps a second. */
export function pointRobot(metres: number) {
  let tool: Point = [0, 0, 0]
  const observation = () => ({ proprio: Float32Array.from(tool) })
  return {
    robot: {
      spec: {
        rate: 10,
        tasks: { pick: { maxSteps: 9 } },
        actionScale: { translation: metres, rotation: 0.1 },
        channels: vector('tool', 'm', { of: 'position' }),
      },
      reset: async () => {
        tool = [0, 0, 0]
        return observation()
      },
      observe: async () => observation(),
      step: async (action: Float32Array) => {
        tool = tool.map((x, i) => x + metres * action[i]!) as Point
        return { observation: observation(), terminated: false }
      },
    },
    simulation: {
      snapshot: () => [...tool],
      restore: (scene: unknown) => {
        tool = [...(scene as Point)]
      },
      tool: () => [...tool],
    },
    perception: { see: async () => ({}) },
  }
}
