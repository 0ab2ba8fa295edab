/**
 * @file JPEG pictures over HTTP. The connection is made again when it breaks, when the server falls silent, or when it sends
 * what is no picture; meanwhile the newest picture grows old, and nobody waits.
 */
import http from 'node:http'
import https from 'node:https'
import { InputError } from '../../../errors.ts'
import { JpegSplitter, LARGEST_PICTURE } from '../jpeg-splitter.ts'
import { whatCame } from '../what-came.ts'
import { Retry } from './retry.ts'
import type { PictureSource, Sink } from './source.ts'

const SILENCE = 2000 // ms without a byte

export function openMjpeg(where: string, url: string, { take, lost }: Sink): PictureSource {
  const retry = new Retry(connect)
  let request: http.ClientRequest | undefined
  connect()
  return {
    close() {
      retry.close()
      request?.destroy()
    },
  }

  function connect(): void {
    const own = (url.startsWith('https:') ? https : http).get(url, { timeout: SILENCE })
    request = own
    let over = false
    const fail = (what: string, remedy: string, cause?: unknown) => {
      if (over) return
      over = true
      own.destroy()
      if (retry.closed) return
      lost(new InputError(where, `${what} (${shown(url)})`, remedy, { cause }))
      retry.later()
    }
    own.on('timeout', () =>
      fail(`has been silent for ${SILENCE / 1000} s`, 'Check the camera, its server and the network'),
    )
    own.on('error', (error) => fail(unreachable(error), 'Check the address, and that its server runs', error))
    own.on('response', (response) => {
      const refusal = refused(response)
      if (refusal) return fail(...refusal)
      const splitter = new JpegSplitter()
      let pictures = 0
      response.on('data', (chunk: Buffer) => {
        const found = splitter.push(chunk)
        if (found === 'too large')
          return fail(`sends a picture of more than ${LARGEST_PICTURE >> 20} MiB`, 'Have it send smaller ones')
        if (found === 'no pictures')
          return fail(`sends ${whatCame(content(splitter.instead))}`, 'Give the address of a stream of JPEG pictures')
        for (const jpeg of found) take(jpeg)
        pictures += found.length
        if (found.length > 0) retry.works()
      })
      response.on('error', (error) => fail(unreachable(error), 'Check the network', error))
      response.on('close', () => {
        if (pictures === 1 && /^image\//.test(response.headers['content-type'] ?? ''))
          fail('answers with one picture', 'Give the address of its stream, not of a single picture')
        else if (pictures > 0) fail('has ended its stream', 'Check its server')
        else fail(`sends ${whatCame(content(splitter.instead))}`, 'Give the address of a stream of JPEG pictures')
      })
    })
  }
}

/** Of a part, without its head. */
const content = (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace(/^\s*-.*?\n\r?\n/s, ''), 'latin1')

/** Without its password. */
function shown(url: string): string {
  const address = new URL(url)
  if (address.password) address.password = '***'
  return address.href
}

const unreachable = (error: NodeJS.ErrnoException): string => {
  if (error.code === 'ECONNREFUSED') return 'is not served: the connection was refused'
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return 'cannot be found: the name is unknown'
  return `cannot be reached: ${error.message || error.code}`
}

/** What is wrong with an answer by its head alone. */
function refused({ statusCode = 0, headers }: http.IncomingMessage): [what: string, remedy: string] | undefined {
  if (statusCode === 401 || statusCode === 403)
    return [`refuses (HTTP ${statusCode})`, 'Write user and password into the address: http://user:password@host/']
  if (statusCode >= 300 && statusCode < 400)
    return [`is elsewhere (HTTP ${statusCode})`, `Give the address that it names: ${headers.location ?? 'none'}`]
  if (statusCode !== 200) return [`answers with HTTP ${statusCode}`, 'Check the path of the address']
  const type = headers['content-type'] ?? ''
  if (!/^(text|application\/(json|xhtml))/.test(type)) return undefined
  return [`sends ${type.split(';')[0]} instead of pictures`, 'Give the address of a stream of JPEG pictures']
}
