/**
 * @file How this process ends: by an error, a signal, a second Ctrl-C. Robots are stopped first, one line says why, and
 * nothing that still waits keeps it alive for long. A terminal that is gone ends nothing.
 */
import { constants } from 'node:os'
import { relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommanderError } from 'commander'
import { InputError, LostError, ShapeError, systemError } from '../errors.ts'
import type { Failure } from '../loop/failure.ts'
import { commandsAny, stopAll } from '../robot/commanded.ts'
import { threadsGone, threadsLive } from '../run/threads.ts'

const PATIENCE = 1500 // ms from the cause to the end, at the latest; but see `leave`
const AT_ONCE = 300 // ms, where somebody has asked twice
const COMPILED = 10_000 // ms in which a thread leaves the program that it compiles, on a machine with much else to do

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** Somebody ended the process from outside. */
export class Signalled extends Error {
  override name = 'Signalled'
  constructor(readonly signal: Signal) {
    super(`Ended by ${signal}${running || commandsAny() ? ': the robot is stopped, the log is whole' : ''}.`)
  }
}

/** A run that ends well where it is asked to, and at once where it is failed. */
type Running = { stop(): void; stopping: boolean; failure: Failure }

let running: Running | undefined
let told = false

/** Signals and stray errors go to this run until the returned function is called. */
function handOver(run: Running): () => void {
  running = run
  return () => {
    if (running === run) running = undefined
  }
}

/**
 * Ctrl-C ends what goes on after the step under way, once more ends it at once. `dismiss`: lets go whoever is held.
 * @returns what is told then, and what takes this back
 */
export function endBySteps(
  failure: Failure,
  say: (line: string) => void,
  dismiss: () => void = () => {},
): { stop: AbortSignal; takeBack: () => void } {
  const stop = new AbortController()
  const takeBack = handOver({
    failure,
    get stopping() {
      return stop.signal.aborted
    },
    stop() {
      say('\nStopping; once more to stop at once (nothing logged is lost).')
      stop.abort()
      dismiss()
    },
  })
  return { stop: stop.signal, takeBack }
}

/** To be called once, first. */
export function watchEnds(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {}) // a closed pipe: nobody reads any more
  process.on('uncaughtException', stray)
  process.on('unhandledRejection', stray)
  process.on('SIGINT', interrupted)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(new Signalled(signal)))
}

/** Says once why the process ends, and sees to it that it does. */
export function endWith(error: unknown): void {
  process.exitCode = exitCodeOf(error)
  setTimeout(() => leave(error), PATIENCE).unref()
  if (told) return
  told = true
  process.stderr.write(`${lineOf(error)}\n`)
}

function interrupted(): void {
  const elsewhere = !running && process.listenerCount('SIGINT') > 1 // a command that has its own way of ending
  if (running && !running.stopping) running.stop()
  else if (!elsewhere) end(new Signalled('SIGINT'), AT_ONCE)
}

/** An error that nobody caught. */
function stray(error: unknown): void {
  end(error)
}

function end(error: unknown, patience = PATIENCE): void {
  const stopped = stopAll()
  if (running) {
    setTimeout(() => leave(error), patience).unref() // where all is closed before, it ends by itself
    running.failure.fail(error)
    return
  }
  endWith(error)
  void stopped.then(() => leave(error))
}

/**
 * Ends the process. `process.exit` terminates threads, and one inside onnxruntime turns that into an abort
 * (exit code 134). With such a thread a signal ends the process the way it does where nobody listens to it: at once, with
 * no destructor run and 128 + n for a shell. Any other end waits for the thread; so does a process that no signal can
 * end so, the first one of a container.
 */
async function leave(error: unknown): Promise<void> {
  if (threadsLive()) {
    if (error instanceof Signalled) {
      process.removeAllListeners(error.signal)
      process.kill(process.pid, error.signal)
    }
    await Promise.race([threadsGone(), sleep(COMPILED)])
  }
  process.exit(exitCodeOf(error))
}

/** 2 for what a user can mend, 128 + n for a signal, 1 for all else. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Signalled) return 128 + constants.signals[error.signal]
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // 0: asked for help
  return error instanceof InputError || error instanceof ShapeError || systemError(error) ? 2 : 1
}

/** What is told of an error: of a bug the place in the code too, and with DEBUG the stack. */
export function lineOf(thrown: unknown): string {
  const error = systemError(thrown) ?? thrown
  if (!(error instanceof Error)) return String(error)
  const plain = [InputError, ShapeError, LostError, Signalled].some((kind) => error instanceof kind)
  const message = error.message.replaceAll('\n', ' ')
  if (process.env.DEBUG && error.stack) return error.stack
  if (plain) return message
  const at = /\n\s+at (?:.*\()?(?:file:\/\/)?(.*?:\d+):\d+\)?/.exec(error.stack ?? '')?.[1]
  return `${error.name}: ${message}${at ? ` (at ${relative(process.cwd(), at)})` : ''}. This is a bug; DEBUG=1 shows more of it`
}
