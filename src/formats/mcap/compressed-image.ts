/**
 * @file Foxglove's message `foxglove.CompressedImage` in Protocol Buffers, in which a picture's bytes stay as they are. Field
 * numbers: its published schema. An MCAP file holds the schema as a FileDescriptorSet, made here of the same table.
 */
import protobuf from 'protobufjs'
import type { McapSchema } from './file.ts'

type Fields = Readonly<Record<string, readonly [number: number, type: string]>>

const TIMESTAMP: Fields = { seconds: [1, 'int64'], nanos: [2, 'int32'] }
const IMAGE: Fields = {
  timestamp: [1, 'google.protobuf.Timestamp'],
  data: [2, 'bytes'],
  format: [3, 'string'],
  frame_id: [4, 'string'],
}

/** Of descriptor.proto, what these two messages need. */
const DESCRIPTOR = `
  syntax = "proto3";
  message FileSet { repeated File file = 1; }
  message File {
    string name = 1; string package = 2; repeated string dependency = 3; repeated Message message_type = 4; string syntax = 12;
  }
  message Message { string name = 1; repeated Field field = 2; }
  message Field { string name = 1; int32 number = 3; int32 label = 4; int32 type = 5; string type_name = 6; }
`
const TYPES: Readonly<Record<string, number>> = { int64: 3, int32: 5, string: 9, bytes: 12 }
const MESSAGE = 11
const OPTIONAL = 1

const describe = (name: string, fields: Fields) => ({
  name,
  field: Object.entries(fields).map(([field, [number, type]]) =>
    type in TYPES
      ? { name: field, number, label: OPTIONAL, type: TYPES[type] }
      : { name: field, number, label: OPTIONAL, type: MESSAGE, typeName: `.${type}` },
  ),
})

function descriptorSet(): Uint8Array {
  const timestamp = 'google/protobuf/timestamp.proto'
  const syntax = 'proto3'
  const set = protobuf.parse(DESCRIPTOR).root.lookupType('FileSet')
  const file = [
    { name: timestamp, package: 'google.protobuf', messageType: [describe('Timestamp', TIMESTAMP)], syntax },
    {
      name: 'foxglove/CompressedImage.proto',
      package: 'foxglove',
      dependency: [timestamp],
      messageType: [describe('CompressedImage', IMAGE)],
      syntax,
    },
  ]
  return set.encode(set.fromObject({ file })).finish()
}

function typeOf(name: string, fields: Fields): protobuf.Type {
  const type = new protobuf.Type(name)
  for (const [field, [number, of]] of Object.entries(fields)) type.add(new protobuf.Field(field, number, of))
  return type
}

const root = new protobuf.Root()
root.define('google.protobuf').add(typeOf('Timestamp', TIMESTAMP))
root.define('foxglove').add(typeOf('CompressedImage', IMAGE))
const CompressedImage = root.lookupType('foxglove.CompressedImage')

export const COMPRESSED_IMAGE: McapSchema = {
  name: 'foxglove.CompressedImage',
  encoding: 'protobuf',
  data: descriptorSet(),
  messageEncoding: 'protobuf',
}

export function compressedImage(jpeg: Uint8Array, frame: string, { sec, nsec }: { sec: number; nsec: number }) {
  const timestamp = { seconds: sec, nanos: nsec }
  return CompressedImage.encode(
    CompressedImage.create({ timestamp, data: jpeg, format: 'jpeg', frame_id: frame }),
  ).finish()
}
