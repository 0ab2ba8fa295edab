/** @file The learner beside JAX and PyTorch: what it says where Python has neither. With them: tests/bench/gpu.test.ts. */
import { expect, it } from 'vitest'
import { benchPeers } from '../../bench/learner-peers.ts'
import { SMALL } from './small.ts'

it('measures ours alone where Python has no peer, and says what is missing', async () => {
  const lines: string[] = []
  const figures = await benchPeers({
    say: (line) => lines.push(line),
    sizes: SMALL,
    rounds: 1,
    seconds: 0,
    has: async (library) => {
      throw Object.assign(new Error('Command failed'), { code: 1, stderr: `Traceback\nNo module named '${library}'\n` })
    },
  })
  expect(lines).toEqual([
    "jax: missing (No module named 'jax'), nothing is measured in its place. `pip install jax`",
    "torch: missing (No module named 'torch'), nothing is measured in its place. `pip install torch`",
  ])
  expect(Object.keys(figures)).toEqual(['stepMs'])
})
