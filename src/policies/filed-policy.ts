/** @file A policy from its file, as an actor of this program: what it plans is what the run's own policy planned, to the last bit. */
import { InputError, ShapeError } from '../errors.ts'
import type { ModelFile } from '../graph/index.ts'
import type { Planner, Sighting } from '../learn/planner.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { Action, Image } from '../robot/robot.ts'
import { OneAtATime } from '../vla/one-at-a-time.ts'
import type { PolicyAbout } from './about.ts'

/** What goes in, once the encoder's share of it is settled. */
export type PolicyInput = {
  state: Float32Array
  /** With the encoder inside the file. */
  seen?: { images: Readonly<Record<string, Image>>; task: string }
  /** As the encoder left it, where that is outside. */
  encoded?: { h: Float32Array; features: Float32Array }
  noise: Float32Array
  command?: string // one of the file's own
}

export type PolicyAnswer = { primary: Action; refinement?: Action; embedding?: Float32Array }

export class FiledPolicy implements Planner {
  private readonly runs = new OneAtATime()

  constructor(
    readonly path: string,
    readonly about: PolicyAbout,
    private readonly model: ModelFile,
  ) {}

  get followsCommands(): boolean {
    return this.about.commands.length > 0
  }

  /** @throws InputError or ShapeError where the input is not what the file takes */
  async answer(input: PolicyInput): Promise<PolicyAnswer> {
    const { about, model } = this
    const { state, noise, command } = input
    const feeds: Record<string, Float32Array | Int32Array> = { state, noise }
    for (const [name, shape] of Object.entries(model.inputs)) {
      if (name === 'task')
        feeds.task = Int32Array.of(
          this.row(
            about.tasks.map(({ name }) => name),
            input.seen?.task,
            name,
          ),
        )
      else if (name === 'command')
        feeds.command = Int32Array.of(command === undefined ? 0 : this.row(about.commands, command, name))
      else if (name.startsWith('image.'))
        feeds[name] = this.picture(name.slice('image.'.length), shape, input.seen?.images)
      else if (name === 'h' || name === 'features') feeds[name] = input.encoded?.[name] as Float32Array
    }
    return (await this.runs.run(() => model.run(feeds))) as PolicyAnswer
  }

  async primary(seen: EncodedObservation, xi: Float32Array, sighting: Sighting): Promise<Action> {
    return (await this.answer(this.inputOf(seen, xi, sighting))).primary
  }

  async refined(seen: EncodedObservation, command: string, xi: Float32Array, sighting: Sighting): Promise<Action> {
    const { refinement } = await this.answer({ ...this.inputOf(seen, xi, sighting), command })
    if (!refinement) throw new InputError(this.path, 'has no refinement actor to follow a command', 'Say nothing to it')
    return refinement
  }

  async release(): Promise<void> {
    await this.runs.idle()
    await this.model.release()
  }

  private inputOf(
    { h, features }: EncodedObservation,
    noise: Float32Array,
    { observation, task }: Sighting,
  ): PolicyInput {
    const state = observation.proprio
    const outside = !this.about.encoder.inside
    return {
      state,
      noise,
      ...(outside ? { encoded: { h, features: features[0]! } } : { seen: { images: observation.images, task } }),
    }
  }

  private row(known: readonly string[], asked: string | undefined, what: string): number {
    const row = asked === undefined ? -1 : known.indexOf(asked)
    if (row < 0) throw new InputError(this.path, `has no ${what} "${asked}"`, `It has: ${known.join(', ') || 'none'}`)
    return row
  }

  private picture(
    camera: string,
    [, height, width]: readonly number[],
    images: Readonly<Record<string, Image>> = {},
  ): Float32Array {
    const image = images[camera]
    if (!image) throw new InputError(this.path, `is given no picture of camera ${camera}`, 'Send every camera')
    if (image.width !== width || image.height !== height || image.data.length !== 3 * width * height)
      throw new ShapeError(
        `${this.path}, picture of camera ${camera}`,
        [image.height, image.width, image.data.length / image.width / image.height],
        [height!, width!, 3],
      )
    return Float32Array.from(image.data)
  }
}
