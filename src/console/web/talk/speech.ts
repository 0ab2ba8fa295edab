/**
 * @file Push-to-talk by the browser's speech recognition, where it has one. It only hears; what is done with it is the
 * caller's. What halts the robot is told as soon as it is heard, in a guess at half a sentence or of little confidence, too.
 */
import { type Halt, haltIn } from '../../../talk/halt-words.ts'
import { HaltWatch } from './halting.ts'

export interface PushToTalk {
  start(): void
  /** What was heard until now counts. */
  stop(): void
  /** Of this push only what halts counts. */
  cancel(): void
}

export type Hearing = {
  onPartial: (text: string) => void // what it sounds like so far
  onHalt: (halt: Halt, text: string) => void // at once; no command comes of this push any more
  onCommand: (text: string) => void
  onError: (words: string) => void
  onEnd: () => void
}

/** The part of the Web Speech API that is used. */
export type Recognition = {
  lang: string
  interimResults: boolean
  maxAlternatives: number
  onresult:
    | ((event: { results: ArrayLike<{ isFinal: boolean; 0: { transcript: string; confidence: number } }> }) => void)
    | null
  onerror: ((event: { error: string }) => void) | null
  onend: (() => void) | null
  start(): void
  stop(): void
}

/** Where the browser keeps it. */
export type SpeechScope = {
  isSecureContext: boolean
  SpeechRecognition?: new () => Recognition
  webkitSpeechRecognition?: new () => Recognition
}

const LEAST_CONFIDENCE = 0.5

const ERRORS: Record<string, string> = {
  'not-allowed': 'The browser was not allowed to use the microphone',
  'service-not-allowed': 'This browser has no speech service',
  network: 'The browser’s speech service cannot be reached',
  'no-speech': 'Nothing was heard',
  'audio-capture': 'There is no microphone',
}

/** null where the browser cannot hear. */
export function webSpeech(
  { onPartial, onHalt, onCommand, onError, onEnd }: Hearing,
  scope: SpeechScope = window as SpeechScope,
): PushToTalk | null {
  const Constructor = scope.SpeechRecognition ?? scope.webkitSpeechRecognition
  if (!Constructor || !scope.isSecureContext) return null
  const recognition = new Constructor()
  recognition.lang = 'en-US'
  recognition.interimResults = true
  recognition.maxAlternatives = 1
  let over = false // no command comes of this push any more
  let watch = new HaltWatch(haltIn)
  recognition.onresult = ({ results }) => {
    const text = Array.from(results, (result) => result[0].transcript).join(' ')
    const halt = watch.hear(text)
    over ||= halt !== null
    if (halt) onHalt(halt, text)
    const last = results[results.length - 1]!
    const { transcript, confidence } = last[0]
    if (over || !last.isFinal) return onPartial(text)
    if (confidence > 0 && confidence < LEAST_CONFIDENCE)
      return onError(`Not sure about “${transcript.trim()}”. Say it again`)
    onCommand(transcript)
  }
  recognition.onerror = ({ error }) => error !== 'aborted' && onError(ERRORS[error] ?? `Speech: ${error}`)
  recognition.onend = onEnd
  return {
    start: () => {
      over = false
      watch = new HaltWatch(haltIn)
      recognition.start()
    },
    stop: () => recognition.stop(),
    cancel: () => {
      over = true
      recognition.stop()
    },
  }
}
