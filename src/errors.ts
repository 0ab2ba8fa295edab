/** @file Errors that a caller can act on. Each says what was wrong, where, and what to do. */

/** A tensor, array or image has another shape than its consumer needs. */
export class ShapeError extends Error {
  override name = 'ShapeError'
  constructor(where: string, got: readonly number[], expected: readonly (number | string)[], fix = '') {
    super(`${where} is [${got}], expected [${expected}]${fix && `: ${fix}`}`)
  }
}

/** Input from outside (a file, a setting, a device, a robot) that cannot be used. `where` names file and field. */
export class InputError extends Error {
  override name = 'InputError'
  constructor(where: string, what: string, remedy: string, options?: ErrorOptions) {
    super(`${where}: ${what}. ${remedy}`, options)
  }
}
