/**
 * An ONNX file's bytes, by protobufjs from the messages that are needed here. Not here: what is in the graph (graph.ts).
 * Source: onnx.proto of the ONNX project, with its field numbers.
 */

import { missingPackage } from '../../base/optional.js'
import { info } from '../../native/info.js'
import type { OnnxAttributes } from '../../ops/onnx.js'
import { type Constant, elementTypes, type Graph, type Node, type Port } from './graph.js'

/** The version of the operator set that all forms are written in, and that of the file format of its time. */
const OPSET = 20
const IR_VERSION = 9

/** Messages as `name: 'type number'`; `[]` are repeated. Their names in the file are not part of it. */
const messages = {
  Model: {
    irVersion: 'int64 1',
    producerName: 'string 2',
    producerVersion: 'string 3',
    graph: 'Graph 7',
    opsetImport: 'OperatorSet[] 8',
  },
  OperatorSet: { domain: 'string 1', version: 'int64 2' },
  Graph: {
    node: 'Node[] 1',
    name: 'string 2',
    initializer: 'Tensor[] 5',
    input: 'ValueInfo[] 11',
    output: 'ValueInfo[] 12',
  },
  Node: {
    input: 'string[] 1',
    output: 'string[] 2',
    name: 'string 3',
    opType: 'string 4',
    attribute: 'Attribute[] 5',
    docString: 'string 6',
  },
  Attribute: { name: 'string 1', f: 'float 2', i: 'int64 3', s: 'bytes 4', ints: 'int64[] 8', type: 'int32 20' },
  Tensor: { dims: 'int64[] 1', dataType: 'int32 2', name: 'string 8', rawData: 'bytes 9' },
  ValueInfo: { name: 'string 1', type: 'Type 2' },
  Type: { tensorType: 'TensorType 1' },
  TensorType: { elemType: 'int32 1', shape: 'Shape 2' },
  Shape: { dim: 'Dimension[] 1' },
  Dimension: { dimValue: 'int64 1', dimParam: 'string 2' },
} as const

/** A message for protobufjs. */
function descriptor(fields: Readonly<Record<string, string>>) {
  const described = Object.entries(fields).map(([name, text]) => {
    const [type, id] = text.split(' ')
    const repeated = type.endsWith('[]')
    return [name, { type: type.replace('[]', ''), id: Number(id), ...(repeated && { rule: 'repeated' }) }]
  })
  return { fields: Object.fromEntries(described) }
}

/** The numbers of AttributeProto.AttributeType. */
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const

function attributesOf({ ints = {}, floats = {}, strings = {} }: OnnxAttributes) {
  const integers = Object.entries(ints).map(([name, value]) =>
    typeof value === 'number'
      ? { name, i: value, type: attributeTypes.int }
      : { name, ints: value, type: attributeTypes.ints },
  )
  const reals = Object.entries(floats).map(([name, f]) => ({ name, f, type: attributeTypes.float }))
  const texts = Object.entries(strings).map(([name, s]) => ({ name, s: Buffer.from(s), type: attributeTypes.string }))
  return [...integers, ...reals, ...texts]
}

const nodeOf = ({ from, opType, inputs, output, attributes }: Node) => ({
  input: inputs,
  output: [output],
  name: output,
  opType,
  attribute: attributesOf(attributes),
  docString: from,
})

/** Little-endian, as ONNX and every machine that Node runs on. */
function rawBytes({ type, values }: Constant): Uint8Array {
  const { buffer, byteOffset, byteLength } = arrayOf[type](values)
  return new Uint8Array(buffer, byteOffset, byteLength)
}

const arrayOf = {
  float32: (values: ArrayLike<number>) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  float64: (values: ArrayLike<number>) => Float64Array.from(values),
  int32: (values: ArrayLike<number>) => (values instanceof Int32Array ? values : Int32Array.from(values)),
  int64: (values: ArrayLike<number>) => BigInt64Array.from(Array.from(values, BigInt)),
}

const tensorOf = (constant: Constant) => ({
  name: constant.name,
  dims: constant.shape,
  dataType: elementTypes[constant.type],
  rawData: rawBytes(constant),
})

function valueInfoOf({ name, dtype, shape }: Port) {
  const dim = shape.map(size => (size === null ? { dimParam: 'batch' } : size === undefined ? {} : { dimValue: size }))
  return { name, type: { tensorType: { elemType: elementTypes[dtype], shape: { dim } } } }
}

async function loadProtobuf() {
  try {
    return await import('protobufjs/light.js')
  } catch (cause) {
    throw missingPackage('exportOnnx', ['protobufjs'], cause)
  }
}

/** What encodes a graph; loads protobufjs. */
export async function encoder() {
  const { default: protobuf } = await loadProtobuf()
  const nested = Object.fromEntries(Object.entries(messages).map(([name, fields]) => [name, descriptor(fields)]))
  const Model = protobuf.Root.fromJSON({ nested }).lookupType('Model')
  return (name: string, { nodes, constants }: Graph, inputs: readonly Port[], output: Port): Uint8Array =>
    Model.encode(
      Model.create({
        irVersion: IR_VERSION,
        producerName: 'anneal',
        producerVersion: info.version,
        opsetImport: [{ domain: '', version: OPSET }],
        graph: {
          name,
          node: nodes.map(nodeOf),
          initializer: constants.map(tensorOf),
          input: inputs.map(valueInfoOf),
          output: [valueInfoOf(output)],
        },
      }),
    ).finish()
}
