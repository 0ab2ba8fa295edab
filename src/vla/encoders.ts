/** @file The encoders there are, as the setting `vla` names them. A new one is a folder beside this file, and two words here. */
import { nano } from './nano/index.ts'
import { octo } from './octo/index.ts'
import { smolvla } from './smolvla/index.ts'

export const KINDS = [nano, smolvla, octo] as const
export type EncoderName = (typeof KINDS)[number]['name']

export const ENCODERS: readonly EncoderName[] = KINDS.map(({ name }) => name)
