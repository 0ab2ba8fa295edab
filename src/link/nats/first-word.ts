/** @file Whether a broker answers at its address, asked by a socket that is closed again. */
import { createConnection } from 'node:net'
import { LostError } from '../../errors.ts'

const PORT = 4222 // where an address has none

/**
 * Resolves with its first word, which says no more than that it is there. The client is not asked for that: a connection in the
 * making that it gives up leaves its socket behind.
 * @throws LostError where no word comes in time, else what the system says, or the reason of `signal`
 */
export function firstWord(url: string, patience: number, signal: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '') // of an IPv6 address
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const socket = createConnection({ host, port: Number(port || PORT) })
    const end = (error?: Error) => {
      clearTimeout(late)
      signal.removeEventListener('abort', aborted)
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    const silent = () => end(new LostError(`broker ${url}`, 'says nothing', 'It is asked again'))
    const aborted = () => end(signal.reason)
    const late = setTimeout(silent, patience)
    signal.addEventListener('abort', aborted)
    socket.once('data', () => end())
    socket.once('close', silent)
    socket.on('error', end)
  })
}
