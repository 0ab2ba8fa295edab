/** @file What is done to one bolt after the other: place, pick and assemble, each where the one before has ended. */
import { InputError } from '../../errors.ts'
import type { Operation } from '../../robot/rig.ts'

/** What is done to one bolt, in this order. */
export const OPERATIONS = ['place', 'pick', 'assemble'] as const

/** The operations of a chain, bolt by bolt. @throws InputError if the cell has too few bolts for so many */
export function operationsOf(count: number, bolts: number): Operation[] {
  if (!(Number.isInteger(count) && count >= 1 && count <= OPERATIONS.length * bolts))
    throw new InputError(
      'chain',
      `${count} operations cannot be done with ${bolts} bolt${bolts > 1 ? 's' : ''}`,
      `Ask for 1 to ${OPERATIONS.length * bolts} operations`,
    )
  return Array.from({ length: count }, (_, i) => ({
    task: OPERATIONS[i % OPERATIONS.length]!,
    bolt: Math.floor(i / OPERATIONS.length),
  }))
}

/** What a chain does next; undefined after the last bolt, or a task that is in no chain. */
export function operationAfter({ task, bolt }: Operation, bolts: number): Operation | undefined {
  const all = operationsOf(OPERATIONS.length * bolts, bolts)
  const at = all.findIndex((operation) => operation.task === task && operation.bolt === bolt)
  return at < 0 ? undefined : all[at + 1]
}
