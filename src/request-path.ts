/** @file The path that an HTTP request asks for. */
import type { IncomingMessage } from 'node:http'

/** Undefined where it is no address, as "//", which anybody may send. Never throws. */
export function requestPath({ url = '/' }: Pick<IncomingMessage, 'url'>): string | undefined {
  const base = 'http://host'
  return URL.canParse(url, base) ? new URL(url, base).pathname : undefined
}
