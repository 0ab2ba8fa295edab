import { describe, expect, it } from 'vitest'
import { decodeError, encodeError, InputError, LostError, ShapeError, systemError } from '../src/errors.ts'

const across = (error: unknown) => decodeError(JSON.parse(JSON.stringify(encodeError(error))))

describe('an error that crosses a border as data', () => {
  it.each([
    [new InputError('a.yaml:3', 'is not valid', 'Correct the line'), InputError],
    [new ShapeError('h', [3, 4], [3, 'B'], 'append a column'), ShapeError],
    [new LostError('the learner', 'ended', 'Resume the run'), LostError],
  ])('keeps class, words and fields: %s', (error, kind) => {
    const there = across(error)
    expect(there).toBeInstanceOf(kind)
    expect(there).toMatchObject({ ...error, name: error.name, message: error.message })
  })

  it('keeps the words of its cause', () => {
    const cause = new Error('unexpected end of file')
    expect(across(new InputError('x', 'y', 'z', { cause })).cause).toMatchObject({ message: 'unexpected end of file' })
  })

  it('keeps name and stack of a bug', () => {
    const bug = new TypeError('x is not a function')
    expect(across(bug)).toMatchObject({ name: 'TypeError', message: bug.message, stack: bug.stack })
  })

  it('is one even where no error was thrown', () => {
    expect(across('just words').message).toBe('just words')
    expect(across(undefined).message).toBe('undefined')
  })

  it('tells as an input what the disk refused', () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, open '/runs/a/x'"), {
      code: 'ENOSPC',
      syscall: 'open',
      path: '/runs/a/x',
    })
    expect(across(full)).toBeInstanceOf(InputError)
    expect(across(full).message).toMatch(/^\/runs\/a\/x: .*no space left on device \(ENOSPC\)\. Make room on the disk/)
  })
})

it('what is no refusal of the system is none', () => {
  for (const other of [new Error('x'), null, Object.assign(new Error('x'), { code: 'ERR_X', syscall: 'write' })])
    expect(systemError(other)).toBeUndefined()
  const refusals = ['EEXIST', 'ENAMETOOLONG', 'ELOOP', 'ENOTEMPTY', 'EBUSY', 'ESTALE', 'ENFILE']
  for (const code of refusals)
    expect(
      systemError(Object.assign(new Error(`${code}: refused, mkdir 'x'`), { code, syscall: 'mkdir' })),
      code,
    ).toBeInstanceOf(InputError)
})

it('an error that lost its parts on the way, as the last words of a thread do, keeps its class and its text', () => {
  const last = Object.assign(new Error('setting "x": is 3. Give 4'), { name: 'InputError' })
  const back = decodeError(structuredClone(encodeError(last)))
  expect(back).toBeInstanceOf(InputError)
  expect(back.message).toBe('setting "x": is 3. Give 4')
})
