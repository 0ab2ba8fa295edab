/** @file The settings of a robot whose driver is a module of somebody else. */
import { z } from 'zod'
import { CellsConfig, RealSafetyConfig } from '../../robot/real-config.ts'

export const DriverConfig = z.strictObject({
  kind: z.literal('driver').describe('which robot: one whose driver is a module of your own'),
  module: z.string().min(1).describe('driver: file of JavaScript that exports `driver`'),
  settings: z.record(z.string(), z.unknown()).default({}).describe("driver: the driver's own settings"),
  safety: RealSafetyConfig.describe('driver: the limits of the safety envelope that it is put behind'),
  cells: CellsConfig.describe('names of the robots that the driver has'),
})
export type DriverConfig = z.infer<typeof DriverConfig>
