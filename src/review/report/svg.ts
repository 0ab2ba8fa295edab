/** @file Markup as text: escaped elements for HTML and SVG. */

type Attribute = string | number | undefined

export const escapeText = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Coordinates with at most two decimals: a curve of 400 points stays small. */
const attribute = (value: string | number) =>
  typeof value === 'number' ? String(Math.round(value * 100) / 100) : escapeText(value)

/** One element. `children` are markup already; wrap outside text in escapeText. An attribute that is undefined is left out. */
export function element(name: string, attributes: Record<string, Attribute> = {}, ...children: string[]): string {
  const written = Object.entries(attributes)
    .filter((entry): entry is [string, string | number] => entry[1] !== undefined)
    .map(([key, value]) => ` ${key}="${attribute(value)}"`)
    .join('')
  return name === 'img' ? `<img${written}>` : `<${name}${written}>${children.join('')}</${name}>`
}

/** SVG path through points; a point that is not finite interrupts it. */
export function path(points: readonly (readonly [x: number, y: number])[]): string {
  let pen = 'M'
  let text = ''
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = 'M'
      continue
    }
    text += `${pen}${attribute(x)} ${attribute(y)}`
    pen = 'L'
  }
  return text
}
