/** @file What a person's device and words become, step by step, on a clock that the test holds. */
import { beforeEach, describe, expect, it } from 'vitest'
import { type DeviceInput, Person } from '../../src/operator/person.ts'
import { Relay } from '../../src/operator/relay.ts'
import type { Operator } from '../../src/robot/operator.ts'
import type { Observation } from '../../src/robot/robot.ts'
import type { Vec3 } from '../../src/robot/rotation.ts'

const observation: Observation = { images: {}, proprio: new Float32Array(0), time: 0 }
const planned = Float32Array.of(0.1, 0, 0, 0, 0, 0, -1)

let now = 0
let person: Person
beforeEach(() => {
  now = 1000
  const tool = ({ proprio: [x, y, z] }: Observation) => (z === undefined ? undefined : ([x!, y!, z] as Vec3))
  person = new Person({ inputAge: 200, period: () => 100, now: () => now, tool })
  person.come()
})

const push = (x: number, more: Partial<DeviceInput> = {}) =>
  person.input({ axes: [x, 0, 0, 0, 0, 0], gripper: 0, hold: true, at: now, ...more })
const tend = () => {
  const { takeover, ...rest } = person.tend(observation, planned)
  return { ...rest, ...(takeover && { takeover: [...takeover].map((value) => Number(value.toFixed(6))) }) }
}

describe('a hand on the device', () => {
  it('takes over with the mean of what came since the step before', () => {
    push(0.2)
    push(0.4)
    expect(tend().takeover).toEqual([0.3, 0, 0, 0, 0, 0, 0]) // (0.2 + 0.4) / 2
    push(1)
    expect(tend().takeover).toEqual([1, 0, 0, 0, 0, 0, 0])
  })

  it('keeps on with the last one while it is fresh', () => {
    push(0.5)
    tend()
    now += 200
    expect(tend().takeover).toEqual([0.5, 0, 0, 0, 0, 0, 0])
    expect(person.silent).toBe(false)
  })

  it('holds the robot, and does not give it back, once the last one is too old', () => {
    push(0.5)
    tend()
    now += 201
    expect(tend()).toEqual({ takeover: [0, 0, 0, 0, 0, 0, 0] })
    expect(person.silent).toBe(true)
    push(0.5)
    expect(tend().takeover![0]).toBe(0.5)
    expect(person.silent).toBe(false)
  })

  it('counts the age from when the device was read, not from the arrival', () => {
    push(0.5, { at: now - 201 })
    expect(tend()).toEqual({ takeover: [0, 0, 0, 0, 0, 0, 0] })
  })

  it('gives back when it lets go, and is off before it is on', () => {
    expect(tend()).toEqual({})
    push(0.5)
    push(0, { hold: false })
    expect(tend()).toEqual({})
    expect(person.holding).toBe(false)
  })

  it('cannot push beyond the range', () => {
    push(7)
    expect(tend().takeover![0]).toBe(1)
  })

  it('presses the gripper, even shortly', () => {
    push(0, { gripper: 1 })
    push(0, { gripper: 0 })
    expect(tend().takeover![6]).toBe(1)
    push(0)
    expect(tend().takeover![6]).toBe(0)
  })

  it('does nothing for a person who is not there', () => {
    person.leave()
    push(1)
    expect(tend()).toEqual({})
    person.come()
    expect(tend()).toEqual({})
  })
})

describe('a word', () => {
  const left = { text: 'move left', said: 'left', source: 'typed', lasts: 1500 }

  it('lasts as many steps as its time has periods', () => {
    person.say(left)
    const said = Array.from({ length: 17 }, () => {
      now += 10 // a fast simulation: robot time ends it
      return tend().command
    })
    expect(said).toEqual([...Array(15).fill('move left'), undefined, undefined])
  })

  it('is over when its time is, though no step was taken', () => {
    person.say(left)
    now += 1499
    expect(person.spoken).toEqual({ ...left, left: 1 })
    now += 1
    expect(person.spoken).toBeUndefined()
    expect(tend()).toEqual({})
  })

  it('that lasts shorter is over sooner', () => {
    person.say({ ...left, lasts: 500 })
    expect(Array.from({ length: 7 }, () => tend().command)).toEqual([
      ...Array(5).fill('move left'),
      undefined,
      undefined,
    ])
  })

  it('goes with a takeover, and is over when the person leaves', () => {
    person.say(left)
    push(0.5)
    expect(tend()).toMatchObject({ command: 'move left', takeover: expect.any(Array) })
    person.leave()
    person.come()
    expect(tend()).toEqual({})
  })

  it('is replaced by the next, and ended by silence', () => {
    person.say(left)
    person.say({ ...left, text: 'move up' })
    expect(tend().command).toBe('move up')
    person.silence()
    expect(tend()).toEqual({})
  })
})

describe('a relay', () => {
  it('asks one of the two, and tells the run’s own operator to look anew when it is back', () => {
    const heard: string[] = []
    const named = (name: string): Operator => ({
      begin: (task) => heard.push(`${name} begins ${task}`),
      tend: () => {
        heard.push(name)
        return { command: name }
      },
    })
    let attends = false
    const relay = new Relay(named('person'), () => attends, named('own'))
    relay.begin('pick')
    relay.tend(observation, planned)
    attends = true
    expect(relay.tend(observation, planned)).toEqual({ command: 'person' })
    attends = false
    relay.tend(observation, planned)
    relay.tend(observation, planned)
    expect(heard).toEqual(['person begins pick', 'own begins pick', 'own', 'person', 'own begins pick', 'own', 'own'])
  })

  it('lets the policy alone where there is neither', () => {
    const relay = new Relay(person, () => false, undefined)
    expect(relay.tend(observation, planned)).toEqual({})
  })
})

describe('a command with a distance', () => {
  const said = { said: '20 mm left and up', source: 'typed', lasts: 3000, distance: 0.02 }
  const at = (...tool: number[]) => {
    const { command, toGo } = person.tend({ ...observation, proprio: Float32Array.from(tool) }, planned)
    return [command, toGo?.map((rest) => rest && Number(rest.toFixed(4)))]
  }
  const OVER = [undefined, undefined]

  it('says how far the tool has yet to go along its axes, from where it was heard, until it is there on all', () => {
    person.say({ text: 'move left and up', ...said })
    expect(at(0.5, 0.1, 0.3)).toEqual(['move left and up', [null, 0.02, 0.02]])
    expect(at(0.6, 0.119, 0.305)).toEqual(['move left and up', [null, 0.001, 0.015]]) // x is nobody's
    expect(at(0.5, 0.124, 0.317)).toEqual(['move left and up', [null, -0.004, 0.003]]) // went past: it comes back
    expect(at(0.5, 0.1215, 0.3185)).toEqual(OVER) // 2 mm, a tenth, are near
    expect(person.spoken).toBeUndefined()
    expect(at(0.5, 0.1, 0.3)).toEqual(OVER)
  })

  it('goes the other way along an axis that was said so', () => {
    person.say({ text: 'move right and backward', ...said, distance: 0.005 })
    expect(at(0, 0, 0)).toEqual(['move right and backward', [-0.005, -0.005, null]])
    expect(at(-0.0041, -0.0039, 0)).toEqual(['move right and backward', [-0.0009, -0.0011, null]])
    expect(at(-0.0041, -0.0041, 0)).toEqual(OVER) // within 1 mm
  })

  it('is over in time where the tool does not come so far', () => {
    person.say({ text: 'move right', ...said, lasts: 300 })
    const heard = Array.from({ length: 4 }, () => at(0, 0, 0)[0])
    expect(heard).toEqual(['move right', 'move right', 'move right', undefined])
  })

  it('is over with the episode: the tool is taken elsewhere', () => {
    person.say({ text: 'move left', ...said })
    at(0, 0, 0)
    person.begin('pick')
    expect(at(0.3, 0.3, 0.3)).toEqual(OVER)
    person.say({ text: 'move left', said: 'left', source: 'typed', lasts: 500 })
    person.begin('pick')
    expect(at(0, 0, 0)).toEqual(['move left', undefined]) // without a distance it goes on
  })

  it('lasts its time with a robot that does not tell where its tool is', () => {
    person.say({ text: 'move left', ...said, lasts: 200 })
    expect([tend(), tend(), tend()]).toEqual([{ command: 'move left' }, { command: 'move left' }, {}])
  })
})
