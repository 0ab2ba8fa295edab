/** @file One of several: radio buttons that look like a row of segments, or like a list. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

type Props<T extends string> = {
  label: string // for those who do not see the buttons
  options: readonly { value: T; words: ComponentChildren }[]
  value: T | undefined
  onChange: (value: T) => void
  look?: 'segments' | 'list'
  disabled?: boolean
}

export function Choice<T extends string>({ label, options, value, onChange, look = 'segments', disabled }: Props<T>) {
  const group = useId()
  return (
    <fieldset class={look} disabled={disabled}>
      <legend class="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            class="visually-hidden"
            name={group}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.words}
        </label>
      ))}
    </fieldset>
  )
}
