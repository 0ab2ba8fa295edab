/** @file Push-to-talk by the browser's speech recognition, where it has one. It only hears; what is done with it is the caller's. */

export interface PushToTalk {
  start(): void
  /** What was heard until now counts. */
  stop(): void
}

export type Hearing = {
  onPartial: (text: string) => void // what it sounds like so far
  onCommand: (text: string) => void
  onError: (words: string) => void
  onEnd: () => void
}

/** The part of the Web Speech API that is used. */
type Recognition = {
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

const LEAST_CONFIDENCE = 0.5

const ERRORS: Record<string, string> = {
  'not-allowed': 'The browser was not allowed to use the microphone',
  'service-not-allowed': 'This browser has no speech service',
  network: 'The browser’s speech service cannot be reached',
  'no-speech': 'Nothing was heard',
  'audio-capture': 'There is no microphone',
}

/** null where the browser cannot hear. */
export function webSpeech({ onPartial, onCommand, onError, onEnd }: Hearing): PushToTalk | null {
  const scope = window as unknown as Record<string, (new () => Recognition) | undefined>
  const Constructor = scope.SpeechRecognition ?? scope.webkitSpeechRecognition
  if (!Constructor || !window.isSecureContext) return null
  const recognition = new Constructor()
  recognition.lang = 'en-US'
  recognition.interimResults = true
  recognition.maxAlternatives = 1
  recognition.onresult = ({ results }) => {
    const last = results[results.length - 1]
    const { transcript, confidence } = last[0]
    if (!last.isFinal) return onPartial(transcript)
    if (confidence > 0 && confidence < LEAST_CONFIDENCE)
      return onError(`Not sure about “${transcript.trim()}”. Say it again`)
    onCommand(transcript)
  }
  recognition.onerror = ({ error }) => error !== 'aborted' && onError(ERRORS[error] ?? `Speech: ${error}`)
  recognition.onend = onEnd
  return { start: () => recognition.start(), stop: () => recognition.stop() }
}
