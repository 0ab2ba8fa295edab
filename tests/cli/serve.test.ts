/** @file `duet serve`: the workcell as a robot of another program, in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { duetHere } from './here.ts'

const bin = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const duet = (...args: string[]) =>
  spawn(process.execPath, [bin, 'serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })

it('says where it is, moves its arm in real time while it is asked for nothing, and ends with Ctrl-C', async () => {
  const child = duet('workcell', '--port', '0', '--cameras-port', '0', '--arm', 'gantry', '--task', 'place')
  const ended = once(child, 'exit')
  const said: string[] = []
  for await (const line of createInterface(child.stdout)) {
    said.push(line)
    if (line.startsWith('Ctrl-C')) break
  }
  const [, url] = /^SERL interface: (http:\S+\/)$/.exec(said[0]!)!
  const [, front] = /^Camera: (http:\S+\/cameras\/front\.mjpg)$/.exec(said[1]!)!
  expect(new URL(front!).port).not.toBe(new URL(url!).port)
  const post = async (route: string, body?: object) =>
    fetch(`${url}${route}`, {
      method: 'POST',
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  const pose = async () => ((await (await post('getpos')).json()) as { pose: number[] }).pose
  const [x, y, z, ...q] = await pose()
  await post('pose', { arr: [x! - 0.03, y, z, ...q] })
  for (let i = 0; i < 300 && (await pose())[0]! > x! - 0.02; i++)
    await new Promise((resolve) => setTimeout(resolve, 50))
  expect((await pose())[0]).toBeLessThan(x! - 0.02)
  expect((await post('truth')).status).toBe(404)
  child.kill('SIGINT')
  expect(await ended).toEqual([0, null])
}, 120_000)

it('serves nothing but the workcell, no task that it does not have, and no option of the other interface', async () => {
  for (const [args, words] of [
    [['juggler'], "error: unknown command 'juggler'"],
    [['workcell', '--port', '0', '--task', 'juggle'], 'workcell.task: there is no task "juggle"'],
    [['workcell', '--api', 'rosbridge', '--port', '0', '--fps', '10'], '--fps: is given with --api rosbridge'],
    [['workcell', '--api', 'rosbridge', '--port', '0', '--cameras-port', '0'], '--cameras-port: is given with'],
    [['workcell', '--port', '0', '--ros', '1'], '--ros: is given with --api serl'],
  ] as const) {
    const { status, stderr } = await duetHere('serve', ...args)
    expect([status, stderr]).toEqual([2, expect.stringMatching(new RegExp(`^${words}`))])
  }
}, 120_000)
