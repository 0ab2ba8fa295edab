import { describe, expect, it } from 'vitest'
import { Course, Failure, Stopped } from '../../src/loop/failure.ts'

const never = new Promise<never>(() => {})

describe('the failure of a run', () => {
  it('stops the robots before anybody else hears of it, and before the call returns', () => {
    const failure = new Failure()
    const order: string[] = []
    failure.onFailure(() => order.push('page'))
    failure.stops(['A', 'B'].map((cell) => ({ stop: async () => void order.push(`stop ${cell}`) })))
    failure.fail(new Error('gone'))
    expect(order).toEqual(['stop A', 'stop B', 'page'])
  })

  it('is told once, by its first cause', () => {
    const failure = new Failure()
    const heard: unknown[] = []
    failure.onFailure((error) => heard.push(error))
    failure.fail('first')
    failure.fail('second')
    expect(heard).toEqual(['first'])
    expect(() => failure.check()).toThrow('first')
  })

  it('is heard by all, also where one of them fails at it', () => {
    const failure = new Failure()
    const heard: unknown[] = []
    failure.onFailure(() => {
      throw new Error('no page')
    })
    failure.onFailure((error) => heard.push(error))
    failure.fail('gone')
    expect(heard).toEqual(['gone'])
  })

  it('is heard by who comes late, and not by who has left', () => {
    const failure = new Failure()
    const heard: string[] = []
    failure.onFailure(() => heard.push('left'))()
    failure.fail(new Error('gone'))
    failure.onFailure(() => heard.push('late'))
    expect(heard).toEqual(['late'])
  })

  it('ends a wait that would never end', async () => {
    const failure = new Failure()
    const wait = failure.during(never)
    failure.fail(new Error('gone'))
    await expect(wait).rejects.toThrow('gone')
    await expect(failure.during(never)).rejects.toThrow('gone')
    expect(await new Failure().during(Promise.resolve(7))).toBe(7)
  })

  it('survives a robot that cannot be told', async () => {
    const failure = new Failure()
    failure.stops([{ stop: () => Promise.reject(new Error('no answer')) }])
    failure.fail(new Error('gone'))
    await new Promise((resolve) => setTimeout(resolve, 5)) // an unheard rejection would fail this test
  })
})

describe('the course of a run', () => {
  it('is ended by a stop between two pieces of work, and while one is waited for', async () => {
    const stop = new AbortController()
    const course = new Course(new Failure(), stop.signal)
    course.check()
    const wait = course.during(never)
    stop.abort()
    await expect(wait).rejects.toBeInstanceOf(Stopped)
    await expect(course.during(never)).rejects.toBeInstanceOf(Stopped)
    await expect(course.breathe()).rejects.toBeInstanceOf(Stopped)
    expect(() => course.check()).toThrow(Stopped)
  })

  it('lets a signal in where the work never leaves the thread', async () => {
    const stop = new AbortController()
    const course = new Course(new Failure(), stop.signal)
    setTimeout(() => stop.abort(), 1)
    const work = async () => {
      for (;;) await course.breathe()
    }
    await expect(work()).rejects.toBeInstanceOf(Stopped)
  })

  it('hears a failure before a stop', () => {
    const stop = new AbortController()
    const course = new Course(new Failure(), stop.signal)
    stop.abort()
    course.failure.fail(new Error('gone'))
    expect(() => course.check()).toThrow('gone')
  })
})

describe('the cause of a failure', () => {
  it('is what everybody hears: who asks, who listened before, and who comes late', async () => {
    const failure = new Failure()
    const cause = new Error('the disk is full')
    const heard: unknown[] = []
    failure.onFailure((error) => heard.push(error))
    expect(failure.failed).toBe(false)
    expect(() => failure.check()).not.toThrow()
    failure.fail(cause)
    failure.fail(new Error('and then the learner'))
    failure.onFailure((error) => heard.push(error))
    expect(failure.failed).toBe(true)
    expect(heard).toEqual([cause, cause])
    expect(() => failure.check()).toThrow(cause)
    await expect(failure.during(new Promise(() => {}))).rejects.toBe(cause)
  })
})

describe('a run that nobody can stop', () => {
  it('goes on, and tells nobody that it was asked to end', async () => {
    const course = new Course()
    course.onStop(() => expect.unreachable())
    expect(course.stopping).toBe(false)
    expect(await course.during(Promise.resolve(3))).toBe(3)
    await course.breathe()
  })
})

it('a run that is asked to stop tells so once, what waits and what comes late alike', async () => {
  const stop = new AbortController()
  const course = new Course(new Failure(), stop.signal)
  let told = 0
  course.onStop(() => told++)
  const waiting = course.during(new Promise(() => {}))
  stop.abort()
  course.onStop(() => told++)
  expect(told).toBe(2)
  expect(course.stopping).toBe(true)
  await expect(waiting).rejects.toThrow('the run was asked to stop')
  expect(() => course.check()).toThrow('the run was asked to stop')
})
