/** @file A gripper behind ROS: it is told when what is asked for changes, by a topic or by a service. */
import { type AskedGrip, gripAfter } from '../../robot/gripper.ts'
import type { RosConfig, ServiceConfig } from './config.ts'

type GripperConfig = NonNullable<RosConfig['gripper']>

export type GripperPort = {
  say(topic: string, message: object): void
  call(service: ServiceConfig): Promise<void>
  onFailure(error: unknown): void // of a call that nobody waits for
}

export class Gripper {
  /** 0 as long as nobody knows. */
  asked: AskedGrip = 0
  private told: AskedGrip = 0 // since the last reset, which may have moved it

  constructor(
    private readonly config: GripperConfig,
    private readonly port: GripperPort,
  ) {}

  /** After a reset: whatever it was told, it may have been moved, and where nothing tells how far it is open nobody knows. */
  begin(): void {
    this.told = this.asked = 0
  }

  /** As long as it was told nothing it is asked for what it seems to be, by how far it is open: a person may move it by hand. */
  look(opening: number | null): void {
    if (this.told === 0 && opening !== null) this.asked = opening < 0.5 ? 1 : -1
  }

  /** An action's entry. @throws what `say` throws */
  ask(entry: number): void {
    const grip = gripAfter(entry, 0)
    if (grip === 0 || grip === this.told) return
    this.asked = this.told = grip
    const { command } = this.config
    if (command.by === 'topic') this.port.say(command.topic, { data: grip === 1 ? command.closed : command.open })
    else this.port.call(grip === 1 ? command.close : command.open).catch((error) => this.port.onFailure(error))
  }
}
