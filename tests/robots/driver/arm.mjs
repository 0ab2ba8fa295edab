// A driver as somebody else writes it: a point that goes where it is told, with a camera that shows a number. `hangs`: what of it
// never answers; `waits`: what a step waits for; `opens`: what the way there does.
const axes = ['x', 'y', 'z']

export const driver = {
  reset: 'itself',
  describe: ({ name = 'a foreign arm' }, cell) => ({
    name: `${name} ${cell}`,
    rate: 10,
    cameras: { wrist: { width: 16, height: 16 } },
    channels: [
      ...axes.map((axis) => ({ name: `tcp.${axis}`, unit: 'm', role: `position.${axis}` })),
      { name: 'gripper.command', unit: '', role: 'grip' },
    ],
    actionFrame: 'base',
    actionScale: { translation: 0.02, rotation: 0.1 },
    tasks: { reach: { instruction: 'reach the cube', maxSteps: 20 } },
  }),
  async open({ told = [], fails, hangs, waits, opens }) {
    await opens
    const tool = [0.4, 0, 0.2]
    let grip = -1
    let time = 0
    const look = () => ({
      time,
      proprio: Float32Array.of(...tool, grip),
      images: {
        wrist: { width: 16, height: 16, data: Uint8Array.from({ length: 768 }, (_, i) => (i * 37 + 1000 * time) % 256) },
      },
    })
    const robot = {
      async reset() {
        told.push('reset')
        tool.splice(0, 3, 0.4, 0, 0.2)
        return look()
      },
      observe: async () => look(),
      async step(action) {
        told.push([...action])
        if (fails) throw fails
        await waits?.()
        for (const axis of axes.keys()) tool[axis] += 0.02 * action[axis]
        if (Math.abs(action[6]) > 0.5) grip = Math.sign(action[6])
        time += 0.1
        return { observation: look(), reward: 0, terminated: false }
      },
      stop: async () => void told.push('stop'),
      close: async () => void told.push('close'),
    }
    const answer = robot[hangs]
    if (answer)
      robot[hangs] = (...asked) => {
        void answer(...asked)
        return new Promise(() => {})
      }
    return robot
  },
}
