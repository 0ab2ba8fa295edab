/** @file Halting by word, from the page's talk button or text field down to the robot: whoever says it, and before the sentence is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/console/protocol.ts'
import { HaltWatch, haltMessage } from '../../src/console/web/talk/halting.ts'
import { type Recognition, webSpeech } from '../../src/console/web/talk/speech.ts'
import { haltIn, haltInUnfinished } from '../../src/talk/halt-words.ts'
import { Page } from './page.ts'
import { moving, Stage } from './stage.ts'

type Result = [transcript: string, isFinal?: boolean, confidence?: number]

/** A browser's speech recognition that hears what the test says. */
function recogniser() {
  const made: Recognition[] = []
  class Fake {
    onresult: Recognition['onresult'] = null
    onerror: Recognition['onerror'] = null
    onend: Recognition['onend'] = null
    lang = ''
    interimResults = false
    maxAlternatives = 0
    constructor() {
      made.push(this)
    }
    start() {}
    stop() {}
  }
  const hear = (...results: Result[]) =>
    made[0]!.onresult!({
      results: results.map(([transcript, isFinal = false, confidence = 0.9]) => ({
        isFinal,
        0: { transcript, confidence },
      })),
    })
  return { scope: { isSecureContext: true, SpeechRecognition: Fake }, made, hear }
}

describe('the talk button', () => {
  const open = () => {
    const { scope, made, hear } = recogniser()
    const told: string[] = []
    const tell = (what: string) => (text: string) => void told.push(`${what}: ${text}`)
    const talk = webSpeech(
      {
        onPartial: tell('partial'),
        onHalt: ({ kind }, text) => void told.push(`${kind}: ${text}`),
        onCommand: tell('command'),
        onError: tell('error'),
        onEnd: () => {},
      },
      scope,
    )!
    talk.start()
    return { talk, told, hear, made }
  }

  it('asks the browser for what it hears before the sentence is over', () => {
    expect(open().made[0]!.interimResults).toBe(true)
  })

  it('halts in the middle of a sentence, once, and says no command of it', () => {
    const { told, hear } = open()
    hear(['go'])
    hear(['go left'])
    hear(['go left stop'])
    hear(['go left stop the'])
    hear(['go left stop the arm', true])
    expect(told.filter((line) => /^(stop|pause|command)/.test(line))).toEqual(['stop: go left stop'])
  })

  it('says no command of a push that was cancelled, though more is heard, but still halts', () => {
    const { talk, told, hear } = open()
    hear(['go'])
    talk.cancel()
    hear(['go left', true])
    hear(['go left stop', true])
    expect(told.filter((line) => /^(stop|pause|command)/.test(line))).toEqual(['stop: go left stop'])
    talk.start()
    hear(['go up', true])
    expect(told.at(-1)).toBe('command: go up')
  })

  it('halts though the recogniser changes its mind, and stops after it has paused', () => {
    const { told, hear } = open()
    hear(['wait'])
    hear(['wait stop'])
    hear(['weight to the left', true])
    expect(told.filter((line) => !line.startsWith('partial'))).toEqual(['pause: wait', 'stop: wait stop'])
  })

  it('halts by what it is unsure about, and by any of several results', () => {
    const unsure = open()
    unsure.hear(['halt', true, 0.1])
    expect(unsure.told[0]).toBe('stop: halt')
    const several = open()
    several.hear(['hold on', true], ['to the left'])
    expect(several.told[0]).toBe('pause: hold on to the left')
  })

  it('says the command of the next push', () => {
    const { talk, told, hear } = open()
    hear(['stop', true])
    talk.start()
    hear(['left', true])
    expect(told.at(-1)).toBe('command: left')
  })
})

describe('a text that grows', () => {
  it('tells each gravity once, and again after nothing has halted', () => {
    const watch = new HaltWatch(haltIn)
    const kinds = ['go', 'go no', 'go no no', 'go no no no', 'go no', '', 'wait'].map((text) => watch.hear(text)?.kind)
    expect(kinds).toEqual([undefined, 'pause', 'stop', undefined, undefined, undefined, 'pause'])
  })

  it('is sent as a message that the server takes, however long it is', () => {
    const text = `${'on and '.repeat(40)} hold it`
    expect(haltMessage(haltIn(text)!, text, 'spoken')).toEqual({ kind: 'command', text: 'hold', source: 'spoken' })
    expect(haltMessage(haltIn('stop')!, 'stop', 'typed')).toEqual({ kind: 'stop' })
  })
})

describe('a robot in motion', () => {
  let stage: Stage
  let operator: Page // has control
  let watcher: Page // has not
  beforeAll(async () => {
    stage = await Stage.open()
    operator = await Page.open(stage.server.address)
    watcher = await Page.open(stage.server.address)
    await operator.takeControl()
  }, 60_000)
  afterAll(async () => {
    operator.close()
    watcher.close()
    await stage.close()
  })
  /** The robot goes on. */
  afterEach(async () => {
    for (const page of [operator, watcher]) page.forget()
    operator.send({ kind: 'clear' })
    operator.send({ kind: 'resume' })
    await operator.until('robot', ({ status }) => status === 'moving')
    const { length } = stage.executed
    while (!stage.executed.slice(length).some(moving)) await sleep(5)
    for (const page of [operator, watcher]) page.forget()
  })

  /** Since a moment, no step has moved but the one that was under way. */
  async function stands(status: 'stopped' | 'paused', since: number) {
    await operator.until('robot', (event) => event.status === status)
    await sleep(300)
    expect(stage.executed.findLast(moving)!.at - since).toBeLessThan(150)
  }

  it.each([
    ['stop right there', 'stopped'],
    ['No, STOP!', 'stopped'],
    ['e-stop', 'stopped'],
    ["don't move", 'stopped'],
    ['abort', 'stopped'],
    ['hold on', 'paused'],
    ['wait', 'paused'],
    ["don't go up", 'paused'],
  ] as const)('stands after "%s" from a page that has no control', async (text, status) => {
    const since = performance.now()
    watcher.send({ kind: 'command', text, source: 'spoken' })
    await stands(status, since)
    expect(watcher.all('refused')).toEqual([])
    expect(operator.all('command').filter(({ command }) => command)).toEqual([])
  })

  it('stands after a stop at the end of more words than a command may have', async () => {
    const since = performance.now()
    watcher.send({ kind: 'command', text: `${'you are going on and on '.repeat(10)} and stop`, source: 'spoken' })
    await stands('stopped', since)
  })

  it('stands when half a sentence has been heard at the page', async () => {
    const { scope, hear } = recogniser()
    const silent = () => {}
    const onHalt = (halt: Parameters<typeof haltMessage>[0], text: string) =>
      watcher.send(haltMessage(halt, text, 'spoken'))
    webSpeech({ onHalt, onPartial: silent, onCommand: silent, onError: silent, onEnd: silent }, scope)!.start()
    hear(['no'])
    await operator.until('robot', ({ status }) => status === 'paused')
    const since = performance.now()
    hear(['no don’t move'])
    await stands('stopped', since)
  })

  it('stands while "stop" is being typed', async () => {
    const watch = new HaltWatch(haltInUnfinished)
    const since = performance.now()
    for (const typed of ['s', 'st', 'sto', 'stop', 'stop m']) {
      const halt = watch.hear(typed)
      if (halt) watcher.send(haltMessage(halt, typed, 'typed'))
    }
    await stands('stopped', since)
  })

  it('forgets the command that was in force, and takes none while it is stopped', async () => {
    operator.send({ kind: 'command', text: 'far to the left', source: 'typed' })
    await operator.until('command', ({ command }) => command !== null)
    operator.forget()
    operator.send({ kind: 'command', text: 'no', source: 'spoken' })
    await operator.until('command', ({ command }) => command === null, 1000) // it would have lasted 3 s
    operator.send({ kind: 'command', text: 'stop', source: 'spoken' })
    await operator.until('robot', ({ status }) => status === 'stopped')
    operator.send({ kind: 'command', text: 'left', source: 'spoken' })
    const { why } = await operator.until('refused', ({ what }) => what === 'command')
    expect(why).toContain('clear the stop first')
  })

  it('stays stopped, and says so, when somebody then says "wait"', async () => {
    operator.send({ kind: 'command', text: 'stop', source: 'spoken' })
    await operator.until('robot', ({ status }) => status === 'stopped')
    watcher.send({ kind: 'command', text: 'wait', source: 'spoken' })
    watcher.send({ kind: 'pause' })
    await watcher.until('refused') // the last of the two has arrived
    expect(operator.last('robot')!.status).toBe('stopped')
  })

  it.each(['you are too far left', 'it is right', 'not left', 'right up', 'less left'])(
    'goes on, without a command, after "%s"',
    async (text) => {
      operator.send({ kind: 'command', text, source: 'typed' })
      await operator.until('refused', ({ what }) => what === 'command')
      expect(operator.all('command')).toEqual([])
      expect(text.length).toBeLessThan(LIMITS.phraseLength)
      operator.send({ kind: 'pause' })
      await operator.until('robot', ({ status }) => status === 'paused')
    },
  )
})
