/** @file The settings of a plan that comes from a policy server. */
import { z } from 'zod'
import { WireNamesConfig } from './names.ts'

export const PlanConfig = z.strictObject({
  server: z
    .string()
    .optional()
    .describe(
      'address of a policy server (ws://...) that plans in practice in place of the run\u2019s own primary actor, which learns from what comes of it',
    ),
  steps: z.int().min(1).default(1).describe('actions of one answer that are taken before the server is asked again'),
  patience: z.number().gt(0).default(2).describe('s without an answer after which the run ends'),
  names: WireNamesConfig,
})
