/** @file An MCAP file as it is written: under a name of its own until it is whole, its channels as their first messages come. */
import fs from 'node:fs'
import { McapWriter } from '@mcap/core'
import { moveInPlace, syncFile } from '../../durable.ts'
import { systemError } from '../../errors.ts'

/** What the messages of a channel are: MCAP's names of schema and encodings. */
export type McapSchema = {
  name: string
  encoding: 'jsonschema' | 'protobuf'
  data: Uint8Array
  messageEncoding: 'json' | 'protobuf'
}

export type McapMessage = { topic: string; schema: McapSchema; seconds: number; data: Uint8Array }

export class McapFile {
  private readonly channels = new Map<string, { id: number; sequence: number }>() // by topic
  private readonly schemas = new Map<string, number>()

  private constructor(
    private readonly path: string,
    private readonly fd: number,
    private readonly writer: McapWriter,
  ) {}

  /** @throws InputError if there cannot be such a file */
  static async create(path: string, library: string): Promise<McapFile> {
    try {
      const fd = fs.openSync(draftOf(path), 'w')
      let at = 0n
      const writable = {
        position: () => at,
        async write(bytes: Uint8Array) {
          fs.writeFileSync(fd, bytes) // all of it, where the last write has ended
          at += BigInt(bytes.length)
        },
      }
      const writer = new McapWriter({ writable })
      await writer.start({ profile: '', library })
      return new McapFile(path, fd, writer)
    } catch (error) {
      throw systemError(error, path) ?? error
    }
  }

  /** In the order of their times, as a file that is read from front to back has them. */
  async write({ topic, schema, seconds, data }: McapMessage): Promise<void> {
    const channel = this.channels.get(topic) ?? (await this.begin(topic, schema))
    const time = nanoseconds(seconds)
    const { id, sequence } = channel
    channel.sequence++
    await this.writer.addMessage({ channelId: id, sequence, logTime: time, publishTime: time, data })
  }

  async note(name: string, entries: Readonly<Record<string, string>>): Promise<void> {
    await this.writer.addMetadata({ name, metadata: new Map(Object.entries(entries)) })
  }

  /** Gives the file its name. @throws InputError if the disk does not take it */
  async finish(): Promise<void> {
    await this.writer.end()
    syncFile(this.fd, this.path)
    fs.closeSync(this.fd)
    moveInPlace(draftOf(this.path), this.path)
  }

  /** Leaves nothing behind. */
  discard(): void {
    fs.closeSync(this.fd)
    fs.rmSync(draftOf(this.path), { force: true })
  }

  private async begin(topic: string, { name, encoding, data, messageEncoding }: McapSchema) {
    const known = this.schemas.get(name)
    const schemaId = known ?? (await this.writer.registerSchema({ name, encoding, data }))
    this.schemas.set(name, schemaId)
    const id = await this.writer.registerChannel({ topic, schemaId, messageEncoding, metadata: new Map() })
    const channel = { id, sequence: 0 }
    this.channels.set(topic, channel)
    return channel
  }
}

const draftOf = (path: string) => `${path}.draft`

const nanoseconds = (seconds: number) => BigInt(Math.round(seconds * 1e9))
