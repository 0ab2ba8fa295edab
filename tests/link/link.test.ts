import { MessageChannel } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { type FromLearner, localLink, type ToLearner } from '../../src/link/link.ts'
import { encoded, startOf, stepOf } from '../replay/numbered.ts'

function aPair() {
  const { port1, port2 } = new MessageChannel()
  return { robot: localLink<ToLearner, FromLearner>(port1), learner: localLink<FromLearner, ToLearner>(port2) }
}

const received = <M>(count: number, listen: (listener: (message: M) => void) => unknown) =>
  new Promise<M[]>((resolve) => {
    const messages: M[] = []
    listen((message) => {
      if (messages.push(message) === count) resolve(messages)
    })
  })

it('brings an episode to the other side in order, typed arrays as they are', async () => {
  const { robot, learner } = aPair()
  const plan = { episode: 7, steps: 2 }
  const messages: ToLearner[] = [
    { kind: 'episode-start', start: startOf(plan), observation: encoded(7000) },
    { kind: 'step', episode: 7, step: stepOf(plan, 0), next: encoded(7001) },
    { kind: 'step', episode: 7, step: stepOf(plan, 1), next: encoded(7002) },
    { kind: 'episode-end', episode: 7, end: { ending: 'timeout' } },
  ]
  const arrived = received(4, learner.onMessage)
  for (const message of messages) robot.send(message)
  expect(await arrived).toEqual(messages)
  robot.close()
})

it('moves the buffers that it is told to move, and stops when a listener leaves', async () => {
  const { robot, learner } = aPair()
  const head = Float32Array.of(1, 2, 3)
  const arrived = received<FromLearner>(1, robot.onMessage)
  const heard: string[] = []
  const leave = robot.onMessage((message) => heard.push(message.kind))
  learner.send({ kind: 'parameters', update: 1, values: { head } }, [head.buffer])
  expect(head.length).toBe(0)
  expect(await arrived).toEqual([{ kind: 'parameters', update: 1, values: { head: Float32Array.of(1, 2, 3) } }])
  leave()
  const second = received(1, robot.onMessage)
  learner.send({ kind: 'ready' })
  await second
  expect(heard).toEqual(['parameters'])
  learner.close()
})
