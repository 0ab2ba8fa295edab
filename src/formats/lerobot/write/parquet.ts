/** @file Columns of a set as Parquet bytes: the schema that pyarrow and datasets read, with the metadata that they look for. */
import { parquetWriteBuffer } from 'hyparquet-writer'
import type { Features, WrittenFeature } from './features.ts'

type Options = Parameters<typeof parquetWriteBuffer>[0]
type SchemaElement = NonNullable<Options['schema']>[number]
type KeyValue = NonNullable<Options['kvMetadata']>[number]

/** A column: its elements in Parquet's schema, depth first, and its values, one a row. */
export type TableColumn = {
  schema: SchemaElement[]
  data: readonly unknown[] | Float32Array
  plain?: boolean /* deflates no further */
}

const PHYSICAL = { float32: 'FLOAT', float64: 'DOUBLE', int64: 'INT64', bool: 'BOOLEAN' } as const
type Scalar = keyof typeof PHYSICAL | 'string'

const optional = (name: string): SchemaElement => ({ name, repetition_type: 'OPTIONAL' })

export const scalar = (name: string, type: Scalar): SchemaElement[] => [
  type === 'string'
    ? { ...optional(name), type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }
    : { ...optional(name), type: PHYSICAL[type] },
]

export const text = (name: string, data: readonly string[]): TableColumn => ({ schema: scalar(name, 'string'), data })

/** Of whole numbers, 64 bits each. */
export const whole = (name: string, data: readonly number[]): TableColumn => ({
  schema: scalar(name, 'int64'),
  data: data.map(BigInt),
})

const group = (name: string, fields: SchemaElement[][]): SchemaElement[] => [
  { ...optional(name), num_children: fields.length },
  ...fields.flat(),
]

/** `element`: its schema under the name "element". */
export const list = (name: string, element: SchemaElement[]): SchemaElement[] => [
  { ...optional(name), num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
]

const languageRow = (fields: readonly string[]) =>
  list(
    '',
    group(
      'element',
      fields.map((field) => {
        if (field === 'tool_calls') return list(field, scalar('element', 'string'))
        return scalar(field, field === 'timestamp' ? 'float32' : 'string')
      }),
    ),
  )

const LANGUAGE: Record<string, readonly string[]> = {
  language_persistent: ['role', 'content', 'style', 'timestamp', 'camera', 'tool_calls'],
  language_events: ['role', 'content', 'style', 'camera', 'tool_calls'],
}

/** Of a feature of a set, other than a video, which has no column. */
export function schemaOf(name: string, { dtype, shape }: WrittenFeature): SchemaElement[] {
  if (dtype === 'image') return group(name, [[{ ...optional('bytes'), type: 'BYTE_ARRAY' }], scalar('path', 'string')])
  if (dtype === 'language') return languageRow(LANGUAGE[name]!).map((part, i) => (i === 0 ? { ...part, name } : part))
  const type = dtype as Scalar
  return shape[0] === 1 ? scalar(name, type) : list(name, scalar('element', type))
}

/** Rows of one row group. */
export function parquetBytes(columns: readonly TableColumn[], kvMetadata: KeyValue[] = []): Uint8Array {
  const schema: SchemaElement[] = [
    { name: 'schema', num_children: columns.length },
    ...columns.flatMap((column) => column.schema),
  ]
  const columnData = columns.map(({ schema: [element], data, plain }) => ({
    name: element!.name,
    data: data as unknown[],
    ...(plain && { codec: 'UNCOMPRESSED' as const, statistics: false }),
  }))
  const rowGroupSize = Math.max(1, columns[0]?.data.length ?? 1)
  return new Uint8Array(parquetWriteBuffer({ schema, columnData, rowGroupSize, kvMetadata, createdBy: 'duet' }))
}

/** The key under which the datasets library finds what the columns are: without it a picture is a struct of bytes. */
export function huggingFaceMetadata(features: Features): KeyValue {
  const columns = Object.entries(features).filter(([, { dtype }]) => dtype !== 'video')
  const info = { features: Object.fromEntries(columns.map(([name, feature]) => [name, theirs(name, feature)])) }
  return { key: 'huggingface', value: JSON.stringify({ info }) }
}

const value = (dtype: string) => ({ dtype, _type: 'Value' })

function theirs(name: string, { dtype, shape }: WrittenFeature): unknown {
  if (dtype === 'image') return { _type: 'Image' }
  if (dtype !== 'language')
    return shape[0] === 1 ? value(dtype) : { feature: value(dtype), length: shape[0], _type: 'Sequence' }
  const fields = LANGUAGE[name]!.map((field) => {
    if (field === 'tool_calls') return [field, [value('string')]]
    return [field, value(field === 'timestamp' ? 'float32' : 'string')]
  })
  return [Object.fromEntries(fields)]
}

/** The key under which pandas finds that a column is the index. */
export function pandasMetadata(
  index: string,
  columns: readonly { name: string; type: 'int64' | 'string' }[],
): KeyValue {
  const described = columns.map(({ name, type }) => ({
    name,
    field_name: name,
    pandas_type: type === 'string' ? 'unicode' : type,
    numpy_type: type === 'string' ? 'object' : type,
    metadata: null,
  }))
  const names = { name: null, field_name: null, pandas_type: 'unicode', numpy_type: 'object', metadata: null }
  const value = {
    index_columns: [index],
    column_indexes: [{ ...names, metadata: { encoding: 'UTF-8' } }],
    columns: described,
    creator: { library: 'duet', version: '1' },
    pandas_version: '2.0.0',
  }
  return { key: 'pandas', value: JSON.stringify(value) }
}
