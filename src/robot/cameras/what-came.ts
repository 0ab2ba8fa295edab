/** @file Bytes that should have been a JPEG, in a few words. */

export function whatCame(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing'
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart()
  if (/^<(!doctype|html|\?xml)/i.test(start)) return 'an HTML page instead of a JPEG'
  if (start.startsWith('\x89PNG')) return 'a PNG instead of a JPEG'
  const isText = /^[\x20-\x7e\s]{4}/.test(start)
  const shown = isText
    ? JSON.stringify(start.slice(0, 20))
    : `bytes ${Buffer.from(bytes.subarray(0, 4)).toString('hex')}`
  return `something else than a JPEG, which begins with ${shown}`
}
