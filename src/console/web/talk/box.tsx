/**
 * @file The command box: completes what is typed, shows what is understood before it acts, refuses kindly what is not. What
 * halts the robot does so as it is typed or heard.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import { haltIn, haltInUnfinished } from '../../../talk/halt-words.ts'
import { completions, understandPhrase } from '../../../talk/phrases.ts'
import type { ClientMessage, CommandSource } from '../../protocol.ts'
import { HaltWatch, haltMessage } from './halting.ts'
import { type PushToTalk, webSpeech } from './speech.ts'

const SHOWN_FIRST = 700 // ms that what was heard is shown before it acts

type Props = {
  onCommand: (text: string, source: CommandSource) => void
  onHalt: (message: ClientMessage) => void // needs no control
}

export function CommandBox({ onCommand, onHalt }: Props) {
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(-1)
  const [open, setOpen] = useState(false)
  const [heard, setHeard] = useState<string | null>(null)
  const reading = text.trim() ? understandPhrase(text) : null
  const offered =
    open && text.trim() ? completions(text, 6).filter((phrase) => phrase !== text.trim().toLowerCase()) : []

  const typing = useRef(new HaltWatch(haltInUnfinished)).current
  const say = (phrase: string, source: CommandSource) => {
    const halt = haltIn(phrase)
    if (halt) onHalt(haltMessage(halt, phrase, source))
    else if ('refused' in understandPhrase(phrase)) return setText(phrase)
    else onCommand(phrase, source)
    setText('')
    typing.hear('')
    setOpen(false)
    setChosen(-1)
  }
  const take = (phrase: string) => {
    setText(phrase)
    setOpen(false)
    setChosen(-1)
  }
  const speech = useSpeech({
    onText: (phrase, over) => {
      setText(phrase)
      setHeard(over ? phrase : null)
    },
    onHalt,
    onSay: (phrase) => {
      setHeard(null)
      say(phrase, 'spoken')
    },
  })
  return (
    <div class="command-box">
      <div class="row">
        <div class="combobox">
          <input
            type="text"
            role="combobox"
            aria-expanded={offered.length > 0}
            aria-controls="phrases"
            aria-autocomplete="list"
            aria-activedescendant={chosen >= 0 ? `phrase-${chosen}` : undefined}
            aria-label="Command"
            autocomplete="off"
            spellcheck={false}
            placeholder="Say it: a bit to the left"
            maxLength={120}
            value={text}
            onInput={({ currentTarget }) => {
              const halt = typing.hear(currentTarget.value)
              if (halt) onHalt(haltMessage(halt, currentTarget.value, 'typed'))
              setText(currentTarget.value)
              setOpen(true)
              setChosen(-1)
              speech?.cancel()
            }}
            onBlur={() => setOpen(false)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') {
                if (chosen >= 0) take(offered[chosen]!)
                else if (text.trim()) say(text, 'typed')
              } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && offered.length) {
                event.preventDefault()
                const step = event.key === 'ArrowDown' ? 1 : -1
                setChosen(
                  (chosen + step + offered.length + 1) % (offered.length + 1) === offered.length
                    ? -1
                    : (chosen + step + offered.length) % offered.length,
                )
              } else if (event.key === 'Tab' && offered.length) {
                event.preventDefault()
                take(offered[Math.max(0, chosen)]!)
              }
            }}
          />
          {offered.length > 0 && (
            // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the list of a combobox
            <ul id="phrases" role="listbox" aria-label="Phrases">
              {offered.map((phrase, i) => (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the text field has the keys
                <li
                  key={phrase}
                  id={`phrase-${i}`}
                  // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: an option of a combobox
                  role="option"
                  aria-selected={i === chosen}
                  tabIndex={-1}
                  onPointerDown={(event) => event.preventDefault()}
                  onClick={() => take(phrase)}
                >
                  {phrase}
                </li>
              ))}
            </ul>
          )}
        </div>
        {speech && (
          <button
            type="button"
            class={`talk-button ${speech.listening ? 'listening' : ''}`}
            aria-label="Hold to talk"
            title="Hold to talk"
            onPointerDown={speech.start}
            onPointerUp={speech.stop}
            onPointerLeave={speech.stop}
          >
            <svg width="14" height="18" viewBox="0 0 14 18" aria-hidden="true">
              <rect x="4" y="0" width="6" height="11" rx="3" fill="currentColor" />
              <path d="M1 8a6 6 0 0 0 12 0M7 14v4" stroke="currentColor" stroke-width="1.6" fill="none" />
            </svg>
          </button>
        )}
        <button type="button" disabled={!reading || 'refused' in reading} onClick={() => say(text, 'typed')}>
          Say
        </button>
      </div>
      <p class="understood small" role="status">
        {speech?.problem ? (
          <span class="not-understood">{speech.problem}</span>
        ) : !reading ? (
          <span class="quiet">Nothing is guessed; “a bit” is 0.5 s, “20 mm” is that far.</span>
        ) : 'refused' in reading ? (
          <>
            <span class="not-understood">{reading.refused}</span>
            {reading.suggestions.slice(0, 3).map((phrase) => (
              <button key={phrase} type="button" class="small-button" onClick={() => take(phrase)}>
                {phrase}
              </button>
            ))}
          </>
        ) : (
          <span class="is-understood">
            <span aria-hidden="true">→</span> {reading.understood}
            {heard === null ? <kbd>Enter</kbd> : ' …'}
          </span>
        )}
      </p>
    </div>
  )
}

type Listening = {
  onText: (text: string, over: boolean) => void
  onHalt: (message: ClientMessage) => void
  onSay: (text: string) => void
}

/**
 * Hold, speak, let go: what was heard is shown for a moment and then said, unless the person changes the text, speaks again,
 * leaves the page, or halts the robot.
 */
function useSpeech(wanted: Listening) {
  const [listening, setListening] = useState(false)
  const [problem, setProblem] = useState('')
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const halted = useRef(false)
  const latest = useRef(wanted)
  latest.current = wanted
  const source = useRef<PushToTalk | null | undefined>(undefined)
  if (source.current === undefined)
    source.current = webSpeech({
      onPartial: (text) => latest.current.onText(text, false),
      onHalt: (halt, text) => {
        clearTimeout(timer.current)
        halted.current = true
        latest.current.onHalt(haltMessage(halt, text, 'spoken'))
      },
      onCommand: (text) => {
        latest.current.onText(text, true)
        timer.current = setTimeout(() => latest.current.onSay(text), SHOWN_FIRST)
      },
      onError: setProblem,
      onEnd: () => {
        setListening(false)
        if (halted.current) latest.current.onText('', false) // it has been done
        halted.current = false
      },
    })
  const talk = source.current
  useEffect(() => {
    const leave = () => {
      clearTimeout(timer.current)
      talk?.cancel()
    }
    document.addEventListener('visibilitychange', leave)
    return () => {
      document.removeEventListener('visibilitychange', leave)
      leave()
    }
  }, [talk])
  if (!talk) return null
  return {
    listening,
    problem,
    start: () => {
      clearTimeout(timer.current)
      setProblem('')
      setListening(true)
      talk.start()
    },
    stop: () => listening && talk.stop(),
    cancel: () => clearTimeout(timer.current),
  }
}
