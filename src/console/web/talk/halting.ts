/**
 * @file Halting by word before the sentence is over: what is typed and what is heard so far is read at each change, and the
 * robot is halted as soon as it can be. The server reads again whatever it is sent.
 */
import type { Halt, HaltKind } from '../../../talk/halt-words.ts'
import { type ClientMessage, type CommandSource, LIMITS } from '../../protocol.ts'

/** A text that grows: each gravity of halt is told once, until nothing in the text halts any more. */
export class HaltWatch {
  private told: HaltKind | null = null

  constructor(private readonly read: (text: string) => Halt | null) {}

  /** @returns what is to be sent now, if anything */
  hear(text: string): Halt | null {
    const halt = this.read(text)
    if (halt && (this.told === 'stop' || this.told === halt.kind)) return null
    this.told = halt?.kind ?? null
    return halt
  }
}

/** What the server is sent, which needs no control. */
export const haltMessage = ({ kind, said }: Halt, text: string, source: CommandSource): ClientMessage =>
  kind === 'stop' ? { kind } : { kind: 'command', text: text.length <= LIMITS.phraseLength ? text : said, source }
