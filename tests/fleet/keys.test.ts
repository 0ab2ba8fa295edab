/** @file Keys, invitations, and what a broker lets their owners do. */
import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reloadBroker, startBroker, writeBrokerFiles } from '../../src/fleet/broker.ts'
import { FleetFolder } from '../../src/fleet/folder.ts'
import { type Invitation, invitationText, readInvitation } from '../../src/fleet/invitation.ts'
import { invitationOf, type Keys, learnerAccess, newKeys, readKeys, saveKeys, withRobot } from '../../src/fleet/keys.ts'
import { robotNames } from '../../src/fleet/up.ts'
import { connectBroker } from '../../src/link/nats/connect.ts'
import { downSubject, upSubject, type Wire } from '../../src/link/nats/wire.ts'
import { endServer, freePort, natsServer, WITHOUT } from '../link/nats-server.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-keys-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

const LOCAL = { run: 'arms', host: '127.0.0.1', port: 4222, names: ['127.0.0.1'], tls: false }

describe('an invitation', () => {
  const keys = withRobot(newKeys(LOCAL), 'B')
  const invitation = invitationOf(new FleetFolder(root), keys, 'B')

  it('says in a line all that a robot needs', () => {
    expect(invitation).toEqual({ url: 'nats://127.0.0.1:4222', run: 'arms', robot: 'B', seed: keys.robots.B!.seed })
    expect(readInvitation(` ${invitationText(invitation)}\n`)).toEqual(invitation)
  })

  it.each([
    ['', 'is none'],
    [invitationText(invitation).slice(0, -9), 'not whole'],
    [invitationText({ ...invitation, robot: 'arms.>' } as Invitation), 'is none'],
    [invitationText({ ...invitation, url: 'http://example.com' }), 'is none'],
  ])('that is none is refused (%#)', (text, words) => expect(() => readInvitation(text)).toThrow(words))

  it('keeps its key when it is asked for again, and has another one anew', () => {
    expect(withRobot(keys, 'B')).toBe(keys)
    expect(withRobot(keys, 'B', true).robots.B!.key).not.toBe(keys.robots.B!.key)
    expect(() => withRobot(keys, 'B.>')).toThrow('cannot stand in a subject')
    expect(withRobot(keys, 'constructor').robots.constructor).toMatchObject({ seed: expect.any(String) }) // every object has one
  })
})

it('keys are kept for their owner alone', () => {
  const folder = new FleetFolder(join(root, 'kept'))
  expect(readKeys(folder)).toBeUndefined()
  const keys = withRobot(newKeys(LOCAL), 'A')
  saveKeys(folder, keys)
  expect(readKeys(folder)).toEqual(keys)
  expect(fs.statSync(folder.keys).mode & 0o077).toBe(0)
  fs.writeFileSync(folder.keys, '{}')
  expect(() => readKeys(folder)).toThrow('is not what was saved')
})

it('robots of one machine are named by their cells', () =>
  expect(robotNames(['A', 'B'], 5)).toEqual([
    { name: 'A', cell: 'A' },
    { name: 'B', cell: 'B' },
    { name: 'A-2', cell: 'A' },
    { name: 'B-2', cell: 'B' },
    { name: 'A-3', cell: 'A' },
  ]))

describe.skipIf(!natsServer)(natsServer ? 'a broker with TLS' : WITHOUT, () => {
  const folder = new FleetFolder(join(root, 'broker'))
  let broker: ChildProcess
  let keys: Keys
  const wires: Wire[] = []
  const troubles: string[] = []
  const join_ = async (access: Omit<Invitation, 'run' | 'robot'>) => {
    const wire = await connectBroker(access, 'a test', { onTrouble: (line) => troubles.push(line) })
    wires.push(wire)
    return wire
  }

  beforeAll(async () => {
    keys = withRobot(withRobot(newKeys({ ...LOCAL, port: await freePort(), tls: true }), 'A'), 'B')
    saveKeys(folder, keys)
    await writeBrokerFiles(folder, keys)
    broker = startBroker(folder)
  })
  afterAll(async () => {
    for (const wire of wires) await wire.close()
    await endServer(broker)
  })

  it('lets a robot say one thing, as itself, and hear what is said to it: nothing else', async () => {
    const learner = await join_(learnerAccess(folder, keys))
    const robot = await join_(invitationOf(folder, keys, 'A'))
    const heard: string[] = []
    learner.subscribe('duet.arms.>', (subject) => heard.push(subject))
    const secrets: string[] = []
    for (const subject of ['>', 'duet.arms.>', downSubject('arms', 'B'), upSubject('arms', 'B'), 'duet.legs.down.A'])
      robot.subscribe(subject, (from) => secrets.push(from))
    const own: string[] = []
    robot.subscribe(downSubject('arms', 'A'), (from) => own.push(from))
    await sleep(300)
    const forbidden = [
      upSubject('arms', 'B'),
      downSubject('arms', 'A'),
      'duet.arms.learner',
      'duet.legs.up.A',
      '$SYS.REQ.SERVER.PING',
    ]
    for (const subject of [upSubject('arms', 'A'), ...forbidden]) robot.publish(subject, Buffer.of(1))
    learner.publish(downSubject('arms', 'B'), Buffer.of(1))
    learner.publish(downSubject('arms', 'A'), Buffer.of(1))
    for (let i = 0; i < 100 && own.length === 0; i++) await sleep(50)
    await sleep(300)
    expect(heard.filter((subject) => !subject.startsWith('duet.arms.down'))).toEqual([upSubject('arms', 'A')])
    expect(own).toEqual([downSubject('arms', 'A')])
    expect(secrets).toEqual([])
    for (const subject of forbidden) expect(troubles.join('\n')).toContain(subject)
  })

  it.each([
    ['no key', () => ({ ...invitationOf(folder, keys, 'A'), seed: undefined })],
    [
      'a key that nobody invited',
      () => ({ ...invitationOf(folder, keys, 'A'), seed: withRobot(keys, 'C').robots.C!.seed }),
    ],
  ])('refuses %s', async (_, access) => {
    await expect(join_(access())).rejects.toThrow('refuses this key. Ask for a new invitation: duet fleet invite')
  })

  it('is not believed under a certificate that the invitation does not vouch for', async () => {
    const { ca: _, ...access } = invitationOf(folder, keys, 'A')
    await expect(join_(access)).rejects.toThrow('cannot be used')
  })

  it('lets nobody in by a key that another one has replaced, and puts out who is in', async () => {
    const stale = invitationOf(folder, keys, 'B')
    const inside = await join_(stale)
    const heard: string[] = []
    inside.subscribe(downSubject('arms', 'B'), (subject) => heard.push(subject))
    keys = withRobot(keys, 'B', true)
    saveKeys(folder, keys)
    await writeBrokerFiles(folder, keys)
    expect(reloadBroker(folder)).toBe(true)
    for (let i = 0; i < 100 && !troubles.join('\n').includes('is away'); i++) await sleep(50)
    const learner = await join_(learnerAccess(folder, keys))
    learner.publish(downSubject('arms', 'B'), Buffer.of(1))
    await expect(join_(stale)).rejects.toThrow('refuses this key')
    expect(heard).toEqual([])
    await join_(invitationOf(folder, keys, 'B'))
  })

  it('goes on where a stranger writes rubbish to its port', async () => {
    for (const rubbish of ['GET / HTTP/1.1\r\n\r\n', 'CONNECT {"verbose":true}\r\nPUB duet.arms.up.A 5\r\nhello\r\n']) {
      const socket = connect(keys.port, '127.0.0.1')
      socket.on('error', () => {}) // it is put out
      socket.write(rubbish.repeat(200))
      await sleep(200)
      socket.destroy()
    }
    await join_(invitationOf(folder, keys, 'A'))
  })

  it('lets a robot in that is invited while it runs', async () => {
    keys = withRobot(keys, 'C')
    saveKeys(folder, keys)
    await writeBrokerFiles(folder, keys)
    expect(reloadBroker(folder)).toBe(true)
    await sleep(500)
    await join_(invitationOf(folder, keys, 'C'))
  })
})
