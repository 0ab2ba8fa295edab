/** @file A broker that a person runs: nats-server with settings written by hand, which include the users of a run. */
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeBrokerFiles } from '../../src/fleet/broker.ts'
import { FleetFolder } from '../../src/fleet/folder.ts'
import { invitationOf, learnerAccess, newKeys, ownBroker, withRobot } from '../../src/fleet/keys.ts'
import { connectBroker } from '../../src/link/nats/connect.ts'
import { downSubject, upSubject, type Wire } from '../../src/link/nats/wire.ts'
import { endServer, freePort, natsServer, WITHOUT } from '../link/nats-server.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-own-broker-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

it('is named by an address, and by nothing else', () => {
  expect(ownBroker('arms', 'tls://nats.lab')).toMatchObject({ names: ['nats.lab'], port: 4222, tls: true, own: {} })
  for (const text of ['nats.lab:4222', 'http://nats.lab', 'tls://'])
    expect(() => ownBroker('arms', text)).toThrow('Give an address such as tls://nats.lab:4222')
})

describe.skipIf(!natsServer)(natsServer ? 'with the users of a run' : WITHOUT, () => {
  const folder = new FleetFolder(join(root, 'arms'))
  const wires: Wire[] = []
  let broker: ChildProcess
  let port = 0
  const entering = async (access: Parameters<typeof connectBroker>[0], troubles: string[] = []) => {
    const wire = await connectBroker(access, 'a test', { onTrouble: (line) => troubles.push(line) })
    wires.push(wire)
    return wire
  }
  beforeAll(async () => {
    port = await freePort()
    fs.mkdirSync(folder.path, { recursive: true })
  })
  afterAll(async () => {
    for (const wire of wires) await wire.close()
    await endServer(broker)
  })

  it('lets learner and robots in as ours does, and nobody else', async () => {
    const keys = withRobot(newKeys(ownBroker('arms', `nats://127.0.0.1:${port}`)), 'left')
    await writeBrokerFiles(folder, keys)
    expect(fs.readdirSync(folder.path)).toEqual(['users.conf'])
    const settings = join(folder.path, 'mine.conf') // what it includes is seen from here
    fs.writeFileSync(settings, `listen: "127.0.0.1:${port}"\nauthorization { timeout: 60\n include "users.conf"\n}\n`)
    broker = spawn('nats-server', ['-c', settings], { stdio: 'ignore' })
    const learner = await entering(learnerAccess(folder, keys))
    const troubles: string[] = []
    const robot = await entering(invitationOf(folder, keys, 'left'), troubles)
    const heard: string[] = []
    learner.subscribe('duet.arms.>', (subject) => heard.push(subject))
    await sleep(100)
    robot.publish(downSubject('arms', 'left'), Buffer.of(1))
    robot.publish(upSubject('arms', 'left'), Buffer.of(1))
    for (let i = 0; i < 200 && (heard.length === 0 || troubles.length === 0); i++) await sleep(50)
    expect(heard).toEqual([upSubject('arms', 'left')])
    expect(troubles.join('\n')).toContain(`"${downSubject('arms', 'left')}"`)
    await expect(entering({ ...learnerAccess(folder, keys), seed: undefined })).rejects.toThrow('refuses this key')
  })
})
