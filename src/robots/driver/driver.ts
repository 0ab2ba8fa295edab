/** @file What a module of somebody else exports as `driver`, to be a robot of a run. */
import { createRequire } from 'node:module'
import { InputError } from '../../errors.ts'
import { expectLoggable } from '../../replay/records.ts'
import type { RealSafetyConfig } from '../../robot/real-config.ts'
import type { RigOptions } from '../../robot/rig.ts'
import type { Robot, RobotSpec } from '../../robot/robot.ts'
import type { DriverConfig } from './config.ts'

export type DriverSettings = Readonly<Record<string, unknown>>

export type DriverOptions = RigOptions & {
  cell: string
  safety: RealSafetyConfig // `speed` and `jump` are for the driver to keep: the envelope does not see the way to a start
}

export type DrivenRobot = Pick<Robot, 'reset' | 'observe' | 'step' | 'stop' | 'recover'> & { close(): Promise<void> }

/** Types alone have to be imported to write one: the envelope is put around it, and whatever it throws is a fault. */
export type Driver = {
  reset: 'itself' | 'person' // who brings the scene to a start state
  /** Without a motor moved or a connection made. */
  describe(settings: DriverSettings, cell: string): RobotSpec
  /** Looks whether all is there, and moves nothing. */
  open(settings: DriverSettings, options: DriverOptions): Promise<DrivenRobot>
}

const DOCUMENTED = 'Export `driver: { reset, describe, open }`; docs/drivers.md has one'

/** @throws InputError if there is no such module, or it exports no driver */
export function driverOf(module: string): Driver {
  const { describe, open, reset } = load(module)?.driver ?? {}
  if (typeof describe !== 'function' || typeof open !== 'function')
    throw new InputError(module, 'exports no `driver` with the functions `describe` and `open`', DOCUMENTED)
  if (reset !== 'itself' && reset !== 'person')
    throw new InputError(module, `has a driver whose reset is ${JSON.stringify(reset)}`, DOCUMENTED)
  return { describe, open, reset }
}

/** The robot as its driver describes it. @throws InputError where that is no description of one */
export function describeDriven(
  { module, settings }: Pick<DriverConfig, 'module' | 'settings'>,
  cell: string,
): RobotSpec {
  const spec = driverOf(module).describe(settings, cell)
  for (const [entry, there] of [
    ['channels', Array.isArray(spec?.channels)],
    ['tasks', Object.keys(spec?.tasks ?? {}).length > 0],
  ] as const)
    if (!there) throw new InputError(module, `describes a robot without ${entry}`, DOCUMENTED)
  expectLoggable(spec)
  return spec
}

const PROMISED = ['reset', 'observe', 'step', 'stop', 'close'] as const satisfies readonly (keyof DrivenRobot)[]

/** Before anything moves: a stop that is not there is found out too late. @throws InputError naming what is missing; it is let go of */
export async function expectDriven(module: string, driven: Partial<DrivenRobot> | undefined): Promise<void> {
  const missing = PROMISED.find((name) => typeof driven?.[name] !== 'function')
  if (!missing) return
  if (missing !== 'close') await driven?.close?.()
  throw new InputError(module, `opened a robot that has no function \`${missing}\``, ROBOT)
}

const ROBOT = `Have \`open\` resolve to a robot with ${PROMISED.join(', ')}; docs/drivers.md has one`

/** At once, since a robot is described before anything is opened. */
function load(module: string): { driver?: Partial<Driver> } | null {
  try {
    return createRequire(import.meta.url)(module)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const remedy =
      code === 'ERR_REQUIRE_ESM'
        ? 'Run Node 20.19, 22.12 or newer'
        : 'Give a file of JavaScript that begins without waiting, and whose imports can be found from its place'
    throw new InputError(module, `cannot be loaded as a driver (${message.split('\n')[0]})`, remedy, { cause })
  }
}
