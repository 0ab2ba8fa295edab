/** @file Errors that a caller can act on. Each says what was wrong, where, and what to do; as data they cross threads and processes. */

/** A tensor, array or image has another shape than its consumer needs. */
export class ShapeError extends Error {
  override name = 'ShapeError'
  constructor(
    readonly where: string,
    readonly got: readonly number[],
    readonly expected: readonly (number | string)[],
    readonly remedy = '',
    options?: ErrorOptions,
  ) {
    super(`${where} is [${got}], expected [${expected}]${remedy && `: ${remedy}`}`, options)
  }
}

/** Input from outside (a file, a setting, a device, a robot) that cannot be used. `where` names file and field. */
export class InputError extends Error {
  override name = 'InputError'
  constructor(
    readonly where: string,
    readonly what: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(`${where}: ${what}. ${remedy}`, options)
  }
}

/** Something that the program leans on is gone (a thread, a connection). Nobody gave a wrong input, and it is no bug of the caller. */
export class LostError extends Error {
  override name = 'LostError'
  constructor(
    readonly where: string,
    readonly what: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(`${where}: ${what}. ${remedy}`, options)
  }
}

/** An error as JSON-safe data. `stack` is kept for bugs alone: the other kinds say all in their line. */
export type ErrorData = {
  name: string
  where: string
  what: string
  remedy: string
  shapes?: { got: readonly number[]; expected: readonly (number | string)[] }
  cause?: string
  stack?: string
}

export function encodeError(thrown: unknown): ErrorData {
  const error = thrown instanceof Error ? (systemError(thrown) ?? thrown) : new Error(String(thrown))
  const cause = error.cause === undefined ? {} : { cause: (error.cause as Error)?.message ?? String(error.cause) }
  if (error instanceof ShapeError) {
    const { name, where, got, expected, remedy } = error
    return { name, where, what: 'has another shape', remedy, shapes: { got, expected }, ...cause }
  }
  if (error instanceof InputError || error instanceof LostError) {
    const { name, where, what, remedy } = error
    return { name, where, what, remedy, ...cause }
  }
  return { name: error.name, where: '', what: error.message, remedy: '', ...cause, stack: error.stack }
}

/** An error of the class that was encoded; of one that this program does not know, a plain error under its name. */
export function decodeError({ name, where, what, remedy, shapes, cause, stack }: ErrorData): Error {
  const options = cause === undefined ? undefined : { cause: new Error(cause) }
  if (name === 'ShapeError' && shapes) return new ShapeError(where, shapes.got, shapes.expected, remedy, options)
  // Of one that came without its parts, as a thread's last words do, the whole text stands in `what`.
  const whole = where === '' ? { message: what } : {}
  if (name === 'InputError') return Object.assign(new InputError(where, what, remedy, options), whole)
  if (name === 'LostError') return Object.assign(new LostError(where, what, remedy, options), whole)
  return Object.assign(new Error(what, options), { name, ...(stack === undefined ? {} : { stack }) })
}

const REMEDIES: Record<string, string> = {
  ENOSPC: 'Make room on the disk; what was written before is safe',
  EDQUOT: 'Make room in your quota; what was written before is safe',
  EFBIG: 'Raise the limit on the size of files; what was written before is safe',
  EROFS: 'Choose a folder that can be written',
  EACCES: 'Check the rights of the file and of its folder',
  EPERM: 'Check the rights of the file and of its folder',
  EIO: 'Check the disk; what was written before is safe',
  EMFILE: 'Raise the limit on open files',
  ENOENT: 'Check the path',
  ENOTDIR: 'Check the path',
  EISDIR: 'Check the path',
  EEXIST: 'A file of that name is in the way: choose another path',
  ENOTEMPTY: 'Choose another path, or empty the folder',
  ENAMETOOLONG: 'Choose a shorter name',
  ELOOP: 'Check the links on the path',
  ENFILE: 'Close other programs: this machine has no further file to open',
  EBUSY: 'Close the program that uses it',
  ESTALE: 'Mount the file system again; what was written before is safe',
}

/** What the operating system refused, for a reason that a user can mend, as an InputError; undefined for all else. */
export function systemError(error: unknown, path?: string): InputError | undefined {
  const { code, syscall, path: own, message } = (error ?? {}) as NodeJS.ErrnoException
  const remedy = code === undefined || syscall === undefined ? undefined : REMEDIES[code]
  if (remedy === undefined) return undefined
  const reason = /^\w+: ([^,]+)/.exec(message)?.[1] ?? message
  const what = /^(write|fsync|ftruncate|mkdir|rename)$/.test(syscall!) ? 'could not be written' : `failed to ${syscall}`
  return new InputError(path ?? own ?? 'a file', `${what}: ${reason} (${code})`, remedy, { cause: error })
}
