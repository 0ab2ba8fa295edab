/** @file What a progress bar does to a terminal. */
import { expect, it } from 'vitest'
import { ProgressDisplay } from '../../src/cli/progress.ts'

const CURSOR = /\[\?25([lh])/g
const LINE_ENDS = /\[\?7([lh])/g

/** A terminal that keeps what is written to it. */
function terminal() {
  const written: string[] = []
  const stream = { isTTY: true, columns: 80, write: (text: string) => written.push(text) }
  const last = (what: RegExp) => [...written.join('').matchAll(what)].at(-1)?.[1]
  return { stream: stream as unknown as NodeJS.WriteStream, state: () => [last(CURSOR), last(LINE_ENDS)] }
}

it('has its cursor and its line ends back where a signal ends the process in the middle of a bar', () => {
  const { stream, state } = terminal()
  const before = process.listeners('exit')
  const display = new ProgressDisplay(stream)
  display.show({ stage: 'one', done: 1, total: 9 })
  display.show({ stage: 'another', done: 1, total: 9 })
  expect(state()).toEqual(['l', 'l'])
  const atExit = process.listeners('exit').filter((listener) => !before.includes(listener))
  for (const listener of atExit) listener.call(process, 130)
  expect(state()).toEqual(['h', 'h'])
  display.close()
  expect(process.listeners('exit')).toEqual(before)
})
