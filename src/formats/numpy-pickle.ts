/**
 * @file Pickled trees of arrays, read by a machine that knows dicts, tuples, strings, numbers, numpy arrays and jax
 * arrays, and nothing else: a pickle is a program, and this one is never executed. The arrays are not read, only found.
 */
import { InputError } from '../errors.ts'
import { ByteCursor } from './byte-cursor.ts'
import { type ByteSource, openIndexed } from './byte-source.ts'
import {
  DTYPE_BYTES,
  elements,
  type PlacedTensor,
  type TensorDtype,
  type TensorFile,
  tensorFile,
} from './tensor-file.ts'

const MOST_OBJECTS = 100_000 // on the stack, in the memo or in the tree
const DEEPEST = 32
const DAMAGED = 'It is damaged or of another kind: download it again'

/** Kind and bytes an element, as numpy writes them, with byte order '<' or '|'. */
const DTYPES: Readonly<Record<string, TensorDtype>> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u8: 'U64',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
}

class Bytes {
  constructor(
    readonly position: number,
    readonly length: number,
  ) {}
}
class ArrayDtype {
  order = ''
  constructor(readonly code: string) {}
}
class NumpyArray {
  tensor: PlacedTensor | undefined
}
class Callable {
  constructor(readonly name: string) {}
}
type Value = null | boolean | number | string | Bytes | ArrayDtype | NumpyArray | Callable | Tuple | Dict
type Tuple = readonly Value[]
type Dict = Map<string, Value>

/** The names that a pickle may refer to. */
const CALLABLES: Readonly<Record<string, 'array' | 'reconstruct' | 'ndarray' | 'dtype'>> = {
  'jax._src.array._reconstruct_array': 'array',
  'numpy.core.multiarray._reconstruct': 'reconstruct',
  'numpy._core.multiarray._reconstruct': 'reconstruct',
  'numpy.ndarray': 'ndarray',
  'numpy.dtype': 'dtype',
}

/**
 * A pickled dict of dicts of arrays; names are the keys joined by '/'.
 * @throws InputError that names the byte, if the file is damaged or holds anything else than arrays
 */
export function openNumpyPickle(path: string): Promise<TensorFile> {
  return openIndexed(path, indexNumpyPickle)
}

/** As `openNumpyPickle`; the file owns the source. */
export function indexNumpyPickle(source: ByteSource): TensorFile {
  const root = new PickleMachine(source).run()
  if (!(root instanceof Map)) throw new InputError(source.where, 'is not a pickled dict', DAMAGED)
  const tensors = new Map<string, PlacedTensor>()
  let visited = 0
  const flatten = (dict: Dict, prefix: string, depth: number) => {
    for (const [key, value] of dict) {
      const name = prefix + key
      const wrong = (what: string) => new InputError(`${source.where}, "${name}"`, what, DAMAGED)
      if (depth > DEEPEST) throw wrong(`is nested deeper than ${DEEPEST} levels`)
      if (++visited > MOST_OBJECTS) throw wrong(`comes after ${MOST_OBJECTS} others`)
      if (tensors.has(name)) throw wrong('is there twice')
      if (value instanceof Map) flatten(value, `${name}/`, depth + 1)
      else if (value instanceof NumpyArray && value.tensor) tensors.set(name, value.tensor)
      else throw wrong('is not an array')
    }
  }
  flatten(root, '', 1)
  return tensorFile(source.where, tensors, [source])
}

const MARK = Symbol('mark')

class PickleMachine {
  private readonly cursor: ByteCursor
  private readonly memo: Value[] = []
  private readonly stack: (Value | typeof MARK)[] = []

  constructor(private readonly source: ByteSource) {
    this.cursor = new ByteCursor(source)
  }

  run(): Value {
    const { cursor } = this
    if (cursor.u8() !== 0x80) throw this.wrong('does not begin as a pickle of protocol 2 or later')
    const protocol = cursor.u8()
    if (protocol < 2 || protocol > 5) throw this.wrong(`is of pickle protocol ${protocol}, known are 2 to 5`)
    for (;;) {
      const code = cursor.u8()
      if (code === 0x2e) return this.end()
      const operation = OPERATIONS[code]
      if (!operation) throw this.wrong(`holds opcode 0x${code.toString(16)}, which arrays do not need`)
      operation(this, cursor)
      if (this.stack.length > MOST_OBJECTS || this.memo.length > MOST_OBJECTS)
        throw this.wrong(`holds more than ${MOST_OBJECTS} objects`)
    }
  }

  push(value: Value | typeof MARK): void {
    this.stack.push(value)
  }

  pop(): Value {
    const value = this.stack.pop()
    if (value === undefined || value === MARK) throw this.wrong('takes from an empty stack')
    return value
  }

  popTuple(): Tuple {
    const value = this.pop()
    if (!Array.isArray(value)) throw this.wrong('has something else where a tuple should be')
    return value
  }

  /** The values above the last mark. */
  popToMark(): Value[] {
    const mark = this.stack.lastIndexOf(MARK)
    if (mark < 0) throw this.wrong('closes what it never opened')
    return this.stack.splice(mark).slice(1) as Value[]
  }

  top(): Value {
    const value = this.pop()
    this.stack.push(value)
    return value
  }

  memoize(): void {
    this.memo.push(this.top())
  }

  get(index: number): void {
    const value = this.memo[index]
    if (value === undefined) throw this.wrong(`refers to object ${index}, which it never stored`)
    this.push(value)
  }

  setItems(items: readonly Value[]): void {
    const dict = this.top()
    if (!(dict instanceof Map)) throw this.wrong('sets an item of something that is no dict')
    if (items.length % 2) throw this.wrong('has a key without value')
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = [items[i]!, items[i + 1]!]
      if (typeof key !== 'string') throw this.wrong('has a key that is no string')
      if (dict.has(key)) throw this.wrong(`has the key "${key}" twice`)
      dict.set(key, value)
    }
  }

  /** Puts the callable of a module and a name on the stack, if it is one of the four. */
  global(): void {
    const [name, module] = [this.pop(), this.pop()]
    const full = `${String(module)}.${String(name)}`
    if (typeof name !== 'string' || typeof module !== 'string' || !Object.hasOwn(CALLABLES, full))
      throw new InputError(
        `${this.source.where}, byte ${this.cursor.position}`,
        `refers to ${full}, which arrays do not need`,
        'It may be hostile: do not open it with Python; download the published file',
      )
    this.push(new Callable(full))
  }

  /** What a call of one of the callables gives; arguments are checked, nothing is called. */
  reduce(): void {
    const args = this.popTuple()
    const callable = this.pop()
    if (!(callable instanceof Callable)) throw this.wrong('calls something that is no function')
    switch (CALLABLES[callable.name]) {
      case 'array': {
        const [build, buildArgs, state] = args
        if (!isCallable(build, 'reconstruct') || !Array.isArray(buildArgs) || !isCallable(buildArgs[0], 'ndarray'))
          throw this.wrong('builds a jax array from something that is no numpy array')
        this.push(this.array(state))
        return
      }
      case 'reconstruct':
        if (!isCallable(args[0], 'ndarray')) throw this.wrong('reconstructs something that is no numpy array')
        this.push(new NumpyArray())
        return
      case 'dtype':
        if (typeof args[0] !== 'string') throw this.wrong('has a dtype without name')
        this.push(new ArrayDtype(args[0]))
        return
      default:
        throw this.wrong(`calls ${callable.name}`)
    }
  }

  build(): void {
    const state = this.popTuple()
    const target = this.top()
    if (target instanceof ArrayDtype && typeof state[1] === 'string') target.order = state[1]
    else if (target instanceof NumpyArray && !target.tensor) target.tensor = this.array(state).tensor
    else throw this.wrong('sets the state of something that is neither dtype nor array')
  }

  /** From numpy's state: (version, shape, dtype, fortran order, bytes). */
  private array(state: Value | undefined): NumpyArray {
    if (!Array.isArray(state) || state.length !== 5) throw this.wrong('has an array without its five parts of state')
    const [, shape, type, fortran, data] = state as Tuple
    if (!Array.isArray(shape) || !shape.every((size) => typeof size === 'number' && size >= 0) || shape.length > 32)
      throw this.wrong('has an array whose shape is no tuple of sizes')
    if (!(type instanceof ArrayDtype) || !(data instanceof Bytes)) throw this.wrong('has an array without its numbers')
    const dtype = Object.hasOwn(DTYPES, type.code) ? DTYPES[type.code] : undefined
    if (!dtype || (type.order !== '<' && type.order !== '|'))
      throw this.wrong(`has an array of dtype "${type.order}${type.code}", expected little-endian numbers`)
    if (fortran === true && shape.filter((size) => size !== 1).length > 1)
      throw this.wrong('has an array in Fortran order, expected C order')
    const needed = elements(shape as number[]) * DTYPE_BYTES[dtype]
    if (needed !== data.length)
      throw this.wrong(`has an array of ${data.length} bytes, ${dtype} [${shape}] needs ${needed}`)
    const array = new NumpyArray()
    const pieces = [{ source: this.source, position: data.position, bytes: data.length }]
    array.tensor = { dtype, shape: shape as number[], bytes: data.length, pieces }
    return array
  }

  private end(): Value {
    const result = this.pop()
    if (this.stack.length || this.cursor.remaining) throw this.wrong('goes on after its end')
    return result
  }

  wrong(what: string): InputError {
    return new InputError(`${this.source.where}, byte ${this.cursor.position}`, what, DAMAGED)
  }
}

const isCallable = (value: Value | undefined, role: string) =>
  value instanceof Callable && CALLABLES[value.name] === role

/** By opcode; the names are those of Python's pickletools. STOP ends the machine. */
const OPERATIONS: Readonly<Record<number, (machine: PickleMachine, cursor: ByteCursor) => void>> = {
  149: (_, cursor) => cursor.require(cursor.u64(true), 'a frame'), // FRAME
  40: (machine) => machine.push(MARK), // MARK
  125: (machine) => machine.push(new Map()), // EMPTY_DICT
  41: (machine) => machine.push([]), // EMPTY_TUPLE
  78: (machine) => machine.push(null), // NONE
  136: (machine) => machine.push(true), // NEWTRUE
  137: (machine) => machine.push(false), // NEWFALSE
  74: (machine, cursor) => machine.push(cursor.i32(true)), // BININT
  75: (machine, cursor) => machine.push(cursor.u8()), // BININT1
  77: (machine, cursor) => machine.push(cursor.u16(true)), // BININT2
  140: (machine, cursor) => machine.push(cursor.text(cursor.u8(), 'a string')), // SHORT_BINUNICODE
  88: (machine, cursor) => machine.push(cursor.text(cursor.u32(true), 'a string')), // BINUNICODE
  67: (machine, cursor) => pushBytes(machine, cursor, cursor.u8()), // SHORT_BINBYTES
  66: (machine, cursor) => pushBytes(machine, cursor, cursor.u32(true)), // BINBYTES
  148: (machine) => machine.memoize(), // MEMOIZE
  104: (machine, cursor) => machine.get(cursor.u8()), // BINGET
  106: (machine, cursor) => machine.get(cursor.u32(true)), // LONG_BINGET
  115: (machine) => {
    const [value, key] = [machine.pop(), machine.pop()]
    machine.setItems([key, value])
  }, // SETITEM
  117: (machine) => machine.setItems(machine.popToMark()), // SETITEMS
  116: (machine) => machine.push(machine.popToMark()), // TUPLE
  133: (machine) => machine.push([machine.pop()]), // TUPLE1
  134: (machine) => machine.push([machine.pop(), machine.pop()].reverse()), // TUPLE2
  135: (machine) => machine.push([machine.pop(), machine.pop(), machine.pop()].reverse()), // TUPLE3
  147: (machine) => machine.global(), // STACK_GLOBAL
  82: (machine) => machine.reduce(), // REDUCE
  98: (machine) => machine.build(), // BUILD
}

const pushBytes = (machine: PickleMachine, cursor: ByteCursor, length: number) =>
  machine.push(new Bytes(cursor.skip(length, 'a byte string'), length))
