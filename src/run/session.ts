/** @file What a run needs before it can act: its robots, each behind its safety envelope, the encoder, the command encoder. */
import { InputError } from '../errors.ts'
import { command } from '../robot/commanded.ts'
import type { Rig, Simulation } from '../robot/rig.ts'
import type { Robot, RobotSpec } from '../robot/robot.ts'
import type { SafeRobot } from '../robot/safety.ts'
import { openRig } from '../robots/index.ts'
import { type CommandEmbeddings, type CommandEncoder, commandEncoder } from '../talk/embedding.ts'
import { openTranslator, type Translator } from '../talk/translator.ts'
import type { EncoderInput, FrameSource, VlaEncoder } from '../vla/encoder.ts'
import { fileOrPulled } from '../vla/hub/find.ts'
import { openEncoder } from '../vla/open.ts'
import { ResNetEncoder } from '../vla/resnet10/encoder.ts'
import { t5CommandTable } from '../vla/t5/command-table.ts'
import { WithoutMaps } from '../vla/without-maps.ts'
import type { RunConfig } from './config.ts'
import { translatorSettings } from './label-rule.ts'

/** `robot` is that of the first rig: most runs have no other. */
export type Session = {
  rigs: readonly Rig[] // in the order of the setting robot.cells
  robot: SafeRobot
  encoder: VlaEncoder
  translator: Translator
  commands: CommandEncoder
  commandTable?: CommandEmbeddings // what `commands` reads, for another thread; none for the built-in embedding
  instructions: Readonly<Record<string, string>>
  close(): Promise<void>
}

type MindConfig = Pick<
  RunConfig,
  | 'vla'
  | 'vlaPath'
  | 'vlaLayer'
  | 'vlaCameras'
  | 'vlaStatistics'
  | 'precision'
  | 'device'
  | 'resnetPath'
  | 't5Path'
  | 'networks'
>
type SessionConfig = MindConfig & Pick<RunConfig, 'robot' | 'tasks' | 'talk'>

/** @throws InputError if a task or camera of the config is unknown to a robot; what was opened until then is closed */
export async function openSession(config: SessionConfig): Promise<Session> {
  const rigs: Rig[] = []
  try {
    for (const cell of config.robot.cells) rigs.push(await openRig(config.robot, cell))
    return await sessionOf(rigs, config)
  } catch (error) {
    for (const rig of rigs) await rig.close()
    throw error
  }
}

export type Minds = Pick<Session, 'encoder' | 'commands' | 'commandTable'>

/** Observations that what is approximate in an encoder is measured on. */
const FRAMES = 4
const FIRST_SEED = 0x7a000000

/** Encoder and command encoder for a robot that is not opened. `frames`: what it sees, if anybody asks. @throws InputError as `openSession` */
export async function openMinds(
  config: MindConfig,
  spec: RobotSpec,
  translator: Translator,
  frames?: FrameSource,
): Promise<Minds> {
  const vla = await openEncoder(config.vla, {
    folder: config.vlaPath,
    layer: config.vlaLayer,
    pairing: config.vlaCameras,
    statistics: config.vlaStatistics,
    cameras: Object.keys(spec.cameras),
    stateWidth: spec.channels.length,
    channels: spec.channels,
    device: config.device,
    precision: config.precision,
    frames,
  })
  const resnetPath = await fileOrPulled(config.resnetPath)
  const seeing =
    resnetPath === undefined ? vla : await ResNetEncoder.load(vla, { path: resnetPath, device: config.device })
  const encoder = config.networks.sees === 'h' ? new WithoutMaps(seeing) : seeing
  const t5Path = await fileOrPulled(config.t5Path)
  const commandTable = t5Path === undefined ? undefined : await t5CommandTable(t5Path, translator.commands)
  return { encoder, commands: commandEncoder(commandTable, translator.commands), commandTable }
}

async function sessionOf(rigs: readonly Rig[], config: SessionConfig): Promise<Session> {
  const [{ robot, simulation }] = rigs as [Rig, ...Rig[]]
  for (const { robot } of rigs) checkTasks(config.tasks, robot)
  const translator = openTranslator(translatorSettings(config, robot.spec))
  const minds = await openMinds(
    config,
    robot.spec,
    translator,
    simulation && (() => framesOf(robot, simulation, config.tasks)),
  )
  const { encoder } = minds
  for (const { robot } of rigs) checkCameras(encoder, robot)
  const released = rigs.map(({ robot }) => command(robot))
  return {
    robot,
    rigs,
    ...minds,
    translator,
    instructions: Object.fromEntries(config.tasks.map((task) => [task, robot.spec.tasks[task]!.instruction])),
    async close() {
      for (const rig of rigs) await rig.robot.stop()
      for (const release of released) release()
      await encoder.close()
      for (const rig of rigs) await rig.close()
    },
  }
}

/** Start states of the tasks in turn, of seeds that no episode has; the scene is afterwards as it was. A real robot does not move for this. */
async function framesOf(robot: Robot, simulation: Simulation, tasks: readonly string[]): Promise<EncoderInput[]> {
  const scene = simulation.snapshot()
  const frames: EncoderInput[] = []
  try {
    for (let i = 0; i < FRAMES; i++) {
      const task = tasks[i % tasks.length]!
      const { images, proprio } = await robot.reset(task, FIRST_SEED + i)
      frames.push({ images, proprio, instruction: robot.spec.tasks[task]!.instruction })
    }
  } finally {
    simulation.restore(scene)
  }
  return frames
}

function checkTasks(tasks: readonly string[], { spec }: Robot): void {
  for (const task of tasks)
    if (!Object.hasOwn(spec.tasks, task)) {
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
