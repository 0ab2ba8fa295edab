/** @file Commands embedded by T5 (docs/method.md §2), once: the table outlives the model, which is closed again. */

import { type CommandEmbeddings, embedCommands } from '../../talk/embedding.ts'
import type { CommandSet } from '../../talk/translator.ts'
import { T5TextEncoder } from './encoder.ts'

/** From the published files in `folder` (google-t5/t5-small or another). @throws InputError or ShapeError naming file and tensor */
export async function t5CommandTable(folder: string, commands: CommandSet): Promise<CommandEmbeddings> {
  const encoder = await T5TextEncoder.load(folder)
  try {
    return await embedCommands((command) => encoder.encode(command), commands)
  } finally {
    await encoder.close()
  }
}
