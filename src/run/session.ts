/** @file What a run needs before it can act: the robot behind its safety envelope, the encoder, the command encoder. */
import { InputError } from '../errors.ts'
import type { Robot } from '../robot/robot.ts'
import type { SafeRobot } from '../robot/safety.ts'
import { guardedWorkcell } from '../robot/sim/guarded.ts'
import type { Workcell } from '../robot/sim/workcell.ts'
import { builtInCommandEncoder, type CommandEncoder } from '../talk/embedding.ts'
import type { VlaEncoder } from '../vla/encoder.ts'
import { NanoEncoder } from '../vla/nano/encoder.ts'
import type { RunConfig } from './config.ts'

export type Session = {
  robot: SafeRobot // the only way to the motors
  workcell: Workcell // privileged: for the simulated operator, the demonstrator and probes
  encoder: VlaEncoder
  commands: CommandEncoder
  instructions: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** @throws InputError if a task or camera of the config is unknown to the robot */
export async function openSession(config: Pick<RunConfig, 'robot' | 'tasks' | 'vla'>): Promise<Session> {
  const { robot, workcell } = await guardedWorkcell({ arm: config.robot.arm, bolts: config.robot.bolts })
  const encoder = await NanoEncoder.load()
  checkTasks(config.tasks, robot)
  checkCameras(encoder, robot)
  return {
    robot,
    workcell,
    encoder,
    commands: builtInCommandEncoder(),
    instructions: Object.fromEntries(config.tasks.map((task) => [task, robot.spec.tasks[task]!.instruction])),
    async close() {
      await robot.stop()
      await encoder.close()
      workcell.free()
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
