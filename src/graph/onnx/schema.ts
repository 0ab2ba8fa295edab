/** @file The part of the ONNX protocol-buffer schema that the writer needs, and its enumerations. */

import protobuf from 'protobufjs/light.js'

const field = (id: number, type: string, repeated = false) => ({ id, type, ...(repeated && { rule: 'repeated' }) })

const root = protobuf.Root.fromJSON({
  nested: {
    OperatorSetIdProto: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    ModelProto: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        producerVersion: field(3, 'string'),
        graph: field(7, 'GraphProto'),
        opsetImport: field(8, 'OperatorSetIdProto', true),
      },
    },
    // The same message, with the graph as bytes: who only wants to know what a file says of itself need not read weights.
    ModelEnvelope: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        graph: field(7, 'bytes'),
        opsetImport: field(8, 'OperatorSetIdProto', true),
        metadataProps: field(14, 'StringStringEntryProto', true),
      },
    },
    GraphProto: {
      fields: {
        node: field(1, 'NodeProto', true),
        name: field(2, 'string'),
        initializer: field(5, 'TensorProto', true),
        input: field(11, 'ValueInfoProto', true),
        output: field(12, 'ValueInfoProto', true),
      },
    },
    NodeProto: {
      fields: {
        input: field(1, 'string', true),
        output: field(2, 'string', true),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: field(5, 'AttributeProto', true),
        domain: field(7, 'string'),
      },
    },
    AttributeProto: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        s: field(4, 'bytes'),
        ints: field(8, 'int64', true),
        type: field(20, 'int32'),
      },
    },
    TensorProto: {
      fields: {
        dims: field(1, 'int64', true),
        dataType: field(2, 'int32'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
        externalData: field(13, 'StringStringEntryProto', true),
        dataLocation: field(14, 'int32'),
      },
    },
    StringStringEntryProto: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
    ValueInfoProto: { fields: { name: field(1, 'string'), type: field(2, 'TypeProto') } },
    TypeProto: { fields: { tensorType: field(1, 'TensorTypeProto'), sequenceType: field(4, 'SequenceTypeProto') } },
    SequenceTypeProto: { fields: { elemType: field(1, 'TypeProto') } },
    TensorTypeProto: { fields: { elemType: field(1, 'int32'), shape: field(2, 'TensorShapeProto') } },
    TensorShapeProto: { fields: { dim: field(1, 'DimensionProto', true) } },
    DimensionProto: { fields: { dimValue: field(1, 'int64') } },
  },
})

export const ModelProto = root.lookupType('ModelProto')
export const ModelEnvelope = root.lookupType('ModelEnvelope')

/** TensorProto.DataType */
export const dataType = { f32: 1, i8: 3, i32: 6, i64: 7, bool: 9, f16: 10, f64: 11 } as const

/** TensorProto.DataType of values that stay in a file, some of which have formats that nothing is computed in. */
export const storedType = { F32: 1, I8: 3, F16: 10, BF16: 16 } as const
export const storedBytes = { F32: 4, I8: 1, F16: 2, BF16: 2 } as const

/** TensorProto.DataLocation */
export const externalLocation = 1

/** AttributeProto.AttributeType */
export const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const

/** Operator set 20 has Gelu, reductions with axes as input, and LayerNormalization; IR version 9 goes with it. */
export const opset = 20
export const irVersion = 9

/** The runtime's own operators, beside those of the standard. */
export const contributed = { domain: 'com.microsoft', version: 1 } as const
