/** @file How old an input is though the page's clock sleeps, drifts or is set; a line that is jammed must not look like that. */
import { describe, expect, it } from 'vitest'
import { Freshness } from '../../src/console/server/freshness.ts'

const FRESH = 200 // ms
const INPUT = 33 // ms

/**
 * A page that is read 30 times a second and pings twice a second, over a line that takes `delay` ms each way. `clock`: the
 * page's time at ours; `answers`: whether it says when our answers came.
 */
function session({ clock = (now: number) => now - 5000, delay = (_now: number) => 5, answers = true }) {
  const freshness = new Freshness()
  const waiting: { at: number; send: (now: number) => void }[] = []
  const ages: { read: number; age: number }[] = []
  let pong: { left: number; came: number } | undefined
  let seq = 0
  let last = 0 // messages do not overtake each other
  return (from: number, to: number) => {
    const first = ages.length
    let pinged = -Infinity
    for (let now = from; now < to; now += INPUT) {
      const t = clock(now)
      const at = Math.max(last, now + delay(now))
      last = at
      const read = now
      waiting.push({
        at,
        send: (arrived) => ages.push({ read, age: arrived - (freshness.received(seq++, t, arrived) ?? Number.NaN) }),
      })
      if (now - pinged >= 500) {
        pinged = now
        const heard = answers ? pong : undefined
        pong = undefined
        waiting.push({
          at,
          send: (arrived) => {
            freshness.heard(t, arrived, heard)
            waiting.push({
              at: arrived + 5,
              send: (came) => {
                pong = { left: arrived, came: clock(came) }
              },
            })
          },
        })
      }
      for (let i = 0; i < waiting.length; )
        if (waiting[i]!.at <= now) {
          const [{ at: arrived, send }] = waiting.splice(i, 1) as [(typeof waiting)[number]]
          send(arrived)
        } else i++
    }
    return ages.slice(first)
  }
}
const stale = (ages: { age: number }[]) => ages.filter(({ age }) => age > FRESH).length

describe('inputs stay fresh', () => {
  it('after a nap of 12 s in which the page’s clock stands still: from the third message on', () => {
    const freshness = new Freshness()
    let seq = 0
    const age = (page: number, server: number) => server - freshness.received(seq++, page, server)!
    for (const [page, server] of [[0, 1000], [33, 1033], [66, 1066], [99, 1099]] as const) // biome-ignore format: pairs
      expect(age(page, server)).toBeLessThan(1)
    expect([132, 165, 198, 231].map((page) => age(page, page + 13_000) < FRESH)).toEqual([false, false, true, true])
  })

  it.each([1000, 4000, 12_000, 3_600_000])('soon after a nap of %d ms', (nap) => {
    let slept = 0
    const run = session({ clock: (now) => now - 5000 - slept })
    expect(stale(run(0, 20_000))).toBe(0)
    slept = nap
    const after = run(20_000 + nap, 40_000 + nap)
    expect(stale(after.filter(({ read }) => read > 21_500 + nap))).toBe(0)
  })

  it.each([500, -500])(
    'for an hour on a clock that is slewed by %d parts in a million',
    (ppm) => {
      const run = session({ clock: (now) => now * (1 + ppm / 1e6) })
      const ages = run(0, 3_600_000)
      expect(ages.length).toBeGreaterThan(100_000)
      expect(Math.max(...ages.slice(-100_000).map(({ age }) => age))).toBeLessThan(40)
      expect(stale(ages)).toBe(0)
    },
    60_000,
  )

  it.each([-60_000, -2000, -300, 300, 2000, 60_000])('soon after the page’s clock was set by %d ms', (step) => {
    let set = 0
    const run = session({ clock: (now) => now + set })
    run(0, 20_000)
    set = step
    const after = run(20_000, 40_000)
    expect(stale(after.filter(({ read }) => read > 21_500))).toBe(0)
  })

  it('within seconds of all that also where the page does not say when our answers came', () => {
    for (const set of [-60_000, -2000, 2000]) {
      let by = 0
      const run = session({ clock: (now) => now + by, answers: false })
      run(0, 20_000)
      by = set
      expect(stale(run(20_000, 40_000).filter(({ read }) => read > 23_500))).toBe(0)
    }
  })
})

describe('stale inputs do not look fresh', () => {
  it.each([400, 2000, 8000])('where the line jams for %d ms and then gives all at once', (jam) => {
    const run = session({ delay: (now) => (now >= 20_000 && now < 20_000 + jam ? 20_000 + jam - now : 5) })
    run(0, 20_000)
    const ages = run(20_000, 40_000)
    for (const { read, age } of ages) {
      const late = read >= 20_000 && read < 20_000 + jam ? 20_000 + jam - read : 5
      if (late > FRESH + 40) expect(age, `read at ${read}`).toBeGreaterThan(FRESH)
    }
    expect(stale(ages.filter(({ read }) => read > 20_000 + jam + 100))).toBe(0)
  })

  it.each([0.2, 0.5])('where a jam of 4 s clears slowly, each message %d of the time after the one before', (pace) => {
    const run = session({
      delay: (now) => (now < 20_000 ? 5 : Math.max(5, 4000 - (1 - pace) * (now - 20_000))),
      answers: false,
    })
    run(0, 20_000)
    const ages = run(20_000, 26_000).filter(({ read }) => read >= 20_000)
    const late = ages.filter(({ read }) => 4000 - (1 - pace) * (read - 20_000) > FRESH + 40)
    expect(late.length).toBeGreaterThan(50)
    expect(stale(late)).toBe(late.length)
  })

  it('where the way up gets slow and stays so: by our answers it is seen that no clock was set', () => {
    const run = session({ delay: (now) => (now < 20_000 ? 5 : 2000) })
    run(0, 20_000)
    run(20_000, 22_000)
    const ages = run(22_000, 80_000)
    expect(stale(ages)).toBe(ages.length)
  })
})
