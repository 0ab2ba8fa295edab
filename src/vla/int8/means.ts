/** @file Whether this machine can be asked to multiply codes of eight bits, and has the room to prepare them. */
import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'

/** What Linux calls the instructions that multiply and add bytes in one go: of x86, and of ARM. */
const INSTRUCTIONS = ['avx512_vnni', 'avx_vnni', 'asimddp']

/**
 * Why a processor should not be asked; undefined where it should. Without such instructions bytes are slower than floats,
 * and those of old x86 saturate, which makes other numbers.
 */
export function processorLacks(
  platform: string = process.platform,
  architecture: string = process.arch,
  readInfo: () => string = () => readFileSync('/proc/cpuinfo', 'utf8'),
): string | undefined {
  if (platform === 'darwin' && architecture === 'arm64') return undefined // all of them have it
  if (platform !== 'linux') return `whether this processor multiplies bytes cannot be read on ${platform}`
  let flags: string[]
  try {
    flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readInfo())?.[1]?.split(' ') ?? []
  } catch {
    return 'whether this processor multiplies bytes cannot be read, as there is no /proc/cpuinfo'
  }
  if (INSTRUCTIONS.some((name) => flags.includes(name))) return undefined
  return `this processor has none of ${INSTRUCTIONS.join(', ')}`
}

/** Bytes that this process may still take; limits of a container count. */
export function memoryLeft(): number {
  const { availableMemory } = process as { availableMemory?: () => number } // since Node 20.13
  return availableMemory?.() ?? freemem()
}

export const asMebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`
