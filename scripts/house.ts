/**
 * @file Measures the house: its rooms, the arrows between them, those that run up, and files that import each other in a
 * circle. `npm run house` prints it; tests/house/layers.test.ts holds it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../src', import.meta.url))

/** Highest first; a room may import from those below alone. ARCHITECTURE.md has the same list. */
export const LAYERS: readonly (readonly string[])[] = [
  ['public'],
  ['cli'],
  ['studies'],
  ['fleet'],
  ['console'],
  ['review'],
  ['run'],
  ['loop'],
  ['link'],
  ['policies'],
  ['learn', 'pretrain'],
  ['robots'],
  ['vla', 'operator', 'reward'],
  ['metrics', 'formats'],
  ['replay'],
  ['talk'],
  ['robot'],
  ['nets'],
  ['graph'],
  ['random', 'float16.ts', 'ffmpeg.ts', 'durable.ts', 'state-folder.ts', 'request-path.ts'],
  ['errors.ts'],
]

export type Arrow = { from: string; to: string } // paths below src

export const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.(tsx?|mjs)$/.test(file),
)

/** A folder of src, or a file that lies in none. */
export const roomOf = (file: string): string => file.split('/')[0]!

const layerOf = (room: string) => LAYERS.findIndex((rooms) => rooms.includes(room))

/** Every import, static or dynamic, of one file of src by another. */
export const arrows: readonly Arrow[] = files.flatMap((file) => {
  const text = readFileSync(join(source, file), 'utf8')
  return [...text.matchAll(/(?:from|import\(?)\s*'(\.[^']+)'/g)]
    .map(([, path]) => relative(source, resolve(source, dirname(file), path!)))
    .filter((to) => !to.startsWith('..'))
    .map((to) => ({ from: file, to }))
})

/** Rooms that are in no layer: ARCHITECTURE.md does not know them. */
export const unknownRooms = (): string[] => [...new Set(files.map(roomOf))].filter((room) => layerOf(room) < 0)

/** Imports from a room above, or beside in the same layer. */
export const upwardArrows = (): Arrow[] =>
  arrows.filter(({ from, to }) => roomOf(from) !== roomOf(to) && layerOf(roomOf(to)) <= layerOf(roomOf(from)))

/** Pairs of rooms of which one imports from the other, with the number of imports. */
export function roomArrows(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { from, to } of arrows) {
    if (roomOf(from) === roomOf(to)) continue
    const pair = `${roomOf(from)} -> ${roomOf(to)}`
    counts.set(pair, (counts.get(pair) ?? 0) + 1)
  }
  return counts
}

/** Sets of files that import each other in a circle (strongly connected components, Tarjan 1972). */
export function circles(): string[][] {
  const next = new Map(files.map((file) => [file, arrows.filter(({ from }) => from === file).map(({ to }) => to)]))
  const found: string[][] = []
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const visit = (file: string) => {
    index.set(file, index.size)
    low.set(file, index.get(file)!)
    stack.push(file)
    for (const to of next.get(file) ?? []) {
      if (!index.has(to)) visit(to)
      if (stack.includes(to)) low.set(file, Math.min(low.get(file)!, low.get(to)!))
    }
    if (low.get(file) !== index.get(file)) return
    const component = stack.splice(stack.indexOf(file))
    if (component.length > 1) found.push(component)
  }
  for (const file of files) if (!index.has(file)) visit(file)
  return found
}

/** Circles that lead from one room into another and back. */
export const circlesBetweenRooms = (): string[][] => circles().filter((circle) => new Set(circle.map(roomOf)).size > 1)

function print(): void {
  const pairs = roomArrows()
  const up = upwardArrows()
  const rooms = LAYERS.flat().filter((room) => files.some((file) => roomOf(file) === room))
  for (const room of rooms) {
    const own = files.filter((file) => roomOf(file) === room).length
    const to = rooms
      .filter((other) => pairs.has(`${room} -> ${other}`))
      .map((other) => `${other} ${pairs.get(`${room} -> ${other}`)}`)
    process.stdout.write(`${room.padEnd(12)} ${String(own).padStart(3)} files -> ${to.join(', ') || 'nothing'}\n`)
  }
  for (const { from, to } of up) process.stdout.write(`up: ${from} -> ${to}\n`)
  for (const circle of circles()) process.stdout.write(`circle: ${circle.join(', ')}\n`)
  process.stdout.write(
    `\n${rooms.length} rooms, ${files.length} files, ${pairs.size} arrows between rooms, ${up.length} imports that run up, ` +
      `${circlesBetweenRooms().length} circles of files between rooms (${circles().length} within one)\n`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) print()
