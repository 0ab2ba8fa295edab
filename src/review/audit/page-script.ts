/** @file What the audit page does in the browser: keeps answers, moves through the cards, saves a file. Plain script, no build. */

/** Reads #facts and #vocabulary; answers live in localStorage under the facts, so that two audits never mix. */
export const PAGE_SCRIPT = `
(() => {
  const facts = JSON.parse(document.getElementById('facts').textContent)
  const vocabulary = new Set(JSON.parse(document.getElementById('vocabulary').textContent))
  const cards = [...document.querySelectorAll('.triplet')]
  const place = 'duet label audit ' + JSON.stringify([facts, cards.length])
  let answers = {}
  try { answers = JSON.parse(localStorage.getItem(place)) || {} } catch {}
  const keep = () => { try { localStorage.setItem(place, JSON.stringify(answers)) } catch {} }

  const show = (card) => {
    const given = answers[card.dataset.key]
    for (const button of card.querySelectorAll('[data-answer]'))
      button.setAttribute('aria-pressed', String(given?.answer === button.dataset.answer))
    const input = card.querySelector('input')
    if (given?.command !== undefined && document.activeElement !== input) input.value = given.command
    const all = Object.values(answers)
    document.getElementById('answered').textContent = all.length
    const yes = all.filter(({ answer }) => answer === 'yes').length
    document.getElementById('agreed').textContent = all.length ? Math.round(100 * yes / all.length) + ' %' : '\\u2013'
  }

  const give = (card, answer) => {
    const input = card.querySelector('input')
    if (answer === 'edit') {
      const command = input.value.trim()
      const known = vocabulary.has(command)
      input.setCustomValidity(known ? '' : 'Choose one of the commands of the list')
      if (!known) { input.focus(); if (command) input.reportValidity(); return }
      answers[card.dataset.key] = command === card.dataset.label ? { answer: 'yes' } : { answer, command }
    } else answers[card.dataset.key] = { answer }
    keep()
    show(card)
  }

  let current = 0
  const go = (index) => {
    cards[current]?.classList.remove('current')
    current = Math.max(0, Math.min(cards.length - 1, index))
    cards[current]?.classList.add('current')
    cards[current]?.scrollIntoView({ block: 'center' })
  }

  cards.forEach((card, index) => {
    show(card)
    card.addEventListener('click', () => { cards[current]?.classList.remove('current'); current = index; card.classList.add('current') })
    for (const button of card.querySelectorAll('[data-answer]'))
      button.addEventListener('click', () => give(card, button.dataset.answer))
    card.querySelector('input').addEventListener('change', () => give(card, 'edit'))
  })

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target instanceof HTMLInputElement) {
      if (event.key === 'Escape') event.target.blur()
      return
    }
    const answer = { y: 'yes', n: 'no', e: 'edit' }[event.key]
    if (answer) {
      event.preventDefault()
      give(cards[current], answer)
      if (answer !== 'edit') go(current + 1)
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowRight') { event.preventDefault(); go(current + 1) }
    else if (event.key === 'ArrowUp' || event.key === 'ArrowLeft') { event.preventDefault(); go(current - 1) }
  })

  document.getElementById('export').addEventListener('click', () => {
    const given = cards.flatMap(({ dataset: { key, label } }) => answers[key] ? [{ key, label, ...answers[key] }] : [])
    const blob = new Blob([JSON.stringify({ ...facts, answers: given }, null, 2)], { type: 'application/json' })
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = 'label-audit-' + facts.run.replace(/[^a-z0-9-]+/gi, '_') + '.json'
    link.click()
    URL.revokeObjectURL(link.href)
  })
  go(0)
})()
`
