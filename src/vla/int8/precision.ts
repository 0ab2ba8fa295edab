/** @file In what numbers a published encoder multiplies. */
export const PRECISIONS = ['f32', 'f16', 'int8'] as const
export type Precision = (typeof PRECISIONS)[number]
