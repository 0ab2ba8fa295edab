/** @file What a run needs before it can act: its robots, each behind its safety envelope, the encoder, the command encoder. */
import { InputError } from '../errors.ts'
import { command } from '../robot/commanded.ts'
import type { Robot } from '../robot/robot.ts'
import type { SafeRobot } from '../robot/safety.ts'
import { guardedWorkcell } from '../robots/workcell/guarded.ts'
import { CELL_OPTIONS, type Cell } from '../robots/workcell/options.ts'
import type { Workcell } from '../robots/workcell/workcell.ts'
import { type CommandEncoder, type CommandTable, commandEncoder } from '../talk/embedding.ts'
import type { VlaEncoder } from '../vla/encoder.ts'
import { fileOrPulled } from '../vla/hub/find.ts'
import { openEncoder } from '../vla/open.ts'
import { ResNetEncoder } from '../vla/resnet10/encoder.ts'
import { t5CommandTable } from '../vla/t5/command-table.ts'
import type { RunConfig } from './config.ts'

/** One robot of the run, in its own cell. */
export type Station = {
  cell: Cell
  robot: SafeRobot // the only way to its motors
  workcell: Workcell // privileged: for the simulated operator, the demonstrator and probes
}

/** `robot` and `workcell` are those of the first station: most runs have no other. */
export type Session = Omit<Station, 'cell'> & {
  stations: readonly Station[] // in the order of the setting robot.cells
  encoder: VlaEncoder
  commands: CommandEncoder
  commandTable?: CommandTable // what `commands` reads, for another thread; none for the built-in embedding
  instructions: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** @throws InputError if a task or camera of the config is unknown to a robot */
export async function openSession(
  config: Pick<RunConfig, 'robot' | 'tasks' | 'vla' | 'vlaPath' | 'vlaLayer' | 'device' | 'resnetPath' | 't5Path'>,
): Promise<Session> {
  const { arm, bolts, cells } = config.robot
  const stations: Station[] = []
  for (const cell of cells) stations.push({ cell, ...(await guardedWorkcell({ arm, bolts, ...CELL_OPTIONS[cell] })) })
  const vla = await openEncoder(config.vla, {
    folder: config.vlaPath,
    layer: config.vlaLayer,
    cameras: Object.keys(stations[0]!.robot.spec.cameras),
    device: config.device,
  })
  const resnetPath = await fileOrPulled(config.resnetPath)
  const encoder =
    resnetPath === undefined ? vla : await ResNetEncoder.load(vla, { path: resnetPath, device: config.device })
  const t5Path = await fileOrPulled(config.t5Path)
  const commandTable = t5Path === undefined ? undefined : await t5CommandTable(t5Path)
  for (const { robot } of stations) {
    checkTasks(config.tasks, robot)
    checkCameras(encoder, robot)
  }
  const released = stations.map(({ robot }) => command(robot))
  const { robot, workcell } = stations[0]!
  return {
    robot,
    workcell,
    stations,
    encoder,
    commands: commandEncoder(commandTable),
    commandTable,
    instructions: Object.fromEntries(config.tasks.map((task) => [task, robot.spec.tasks[task]!.instruction])),
    async close() {
      for (const station of stations) await station.robot.stop()
      for (const release of released) release()
      await encoder.close()
      for (const station of stations) station.workcell.free()
    },
  }
}

function checkTasks(tasks: readonly string[], { spec }: Robot): void {
  for (const task of tasks)
    if (!(task in spec.tasks)) {
      const known = Object.keys(spec.tasks).join(', ')
      throw new InputError('setting "tasks"', `robot ${spec.name} has no task "${task}"`, `It has: ${known}`)
    }
}

function checkCameras({ description }: VlaEncoder, { spec }: Robot): void {
  for (const camera of description.cameras)
    if (!(camera in spec.cameras)) {
      const known = Object.keys(spec.cameras).join(', ')
      const remedy = `Robot ${spec.name} has: ${known}; give a camera that name`
      throw new InputError(`encoder ${description.name}`, `needs a camera "${camera}"`, remedy)
    }
}
