/** `io.exportOnnx`: a model as an ONNX file. Not here: ops' forms (ops/), the graph (graph.ts), the bytes (encode.ts). */

import { checkInt, checkOneOf, checkOptions } from '../../base/check.js'
import { driveAsync } from '../../base/drive.js'
import { AnnealError, rangeError, shapeError, typeError } from '../../base/errors.js'
import { shapesOnly } from '../../emitters/shapes_only.js'
import { Unplannable } from '../../emitters/unplannable.js'
import { atomicWrite } from '../../io/atomic_write.js'
import { promisingDisk } from '../../io/disk.js'
import { Module } from '../../nn/index.js'
import { NoOnnxForm, type OnnxName } from '../../ops/onnx.js'
import { shapeText, sizeOf } from '../../ops/spec.js'
import { Transformer } from '../../preprocessing/index.js'
import { seenIn } from '../../runs/hold.js'
import { noGrad, Tensor } from '../../tensor/index.js'
import { withEmitter, withTracer } from '../../tensor/tape.js'
import { commonGraph, commonPort, type Sizes } from './batch_size.js'
import { encoder } from './encode.js'
import { type Graph, GraphBuilder, type Port } from './graph.js'

/** Sizes of an input; null is the batch's. */
export type OnnxShape = readonly (number | null)[]

/** Options of `io.exportOnnx`. */
export interface ExportOnnxOptions {
  /** What `forward` takes, in its order, by the names that the file gives them. A shape alone is float32. */
  inputs: Readonly<Record<string, OnnxShape | { shape: OnnxShape; dtype?: 'float32' | 'int32' }>>
  /** What the first input [batch, columns] goes through before the model, as part of the file. */
  preprocessing?: Transformer
}

const where = 'exportOnnx'
/** Two sizes of the batch that a model has no reason to have among its own. */
const SIZES: Sizes = [7, 11]

function portOf(name: string, given: unknown): Port {
  const form = Array.isArray(given) ? { shape: given } : given
  const { shape, dtype = 'float32' } = checkOptions(where, form as { shape: unknown; dtype?: string }, [
    'shape',
    'dtype',
  ])
  if (!Array.isArray(shape)) throw typeError(where, `inputs.${name} to be a shape, or { shape, dtype }`, given)
  const sizes = shape.map((size, d) =>
    size === null ? null : checkInt(where, `inputs.${name}[${d}], if not null,`, size, { min: 0 }),
  )
  return { name, shape: sizes, dtype: checkOneOf(where, `inputs.${name}.dtype`, dtype, ['float32', 'int32']) }
}

function checkExport(model: unknown, options: ExportOnnxOptions): Port[] {
  if (!(model instanceof Module)) throw typeError(where, 'model to be a Module', model)
  const { inputs, preprocessing } = checkOptions(where, options, ['inputs', 'preprocessing'])
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs))
    throw typeError(where, 'inputs to be an object, { name: shape }', inputs)
  const ports = Object.entries(inputs).map(([name, given]) => portOf(name, given))
  if (ports.length === 0) throw rangeError(where, 'inputs to have at least one', inputs)
  if (preprocessing === undefined) return ports
  if (!(preprocessing instanceof Transformer))
    throw typeError(where, 'preprocessing to be a transformer', preprocessing)
  const columns = preprocessing.checkFitted(where)
  const [{ name, shape, dtype }] = ports
  if (shape.length !== 2 || shape[1] !== columns || dtype !== 'float32')
    throw shapeError(
      where,
      `inputs.${name} to be float32 [null, ${columns}] as in fit`,
      `${dtype} ${shapeText(shape as number[])}`,
    )
  return ports
}

interface Run {
  readonly graph: Graph
  readonly output: Port
}

/** The first input as the model gets it. */
function preprocessed(graph: GraphBuilder, transformer: Transformer, { name }: Port, rows: number): Tensor {
  return graph.add(transformer.name, () => {
    const { values, width, codes } = transformer.onnxColumns(graph, graph.cast(name, 'float64'))
    const dtype = codes ? 'int32' : 'float32'
    const tensor = hollow([rows, width], dtype)
    graph.bind(tensor, graph.cast(values, dtype))
    return tensor
  })
}

/** A tensor without values. */
function hollow(shape: readonly number[], dtype: Port['dtype']): Tensor {
  return new Tensor(shape, dtype, { length: sizeOf(shape) })
}

/** Remembers what modules hold: a model that keeps a result for its next run would keep a tensor without values. */
function keepProperties(model: Module): () => void {
  const before = model.modules().map(module => [module as unknown as Record<string, unknown>, { ...module }] as const)
  return () => {
    for (const [module, held] of before) {
      for (const key of Object.keys(module)) if (!Object.hasOwn(held, key)) delete module[key]
      for (const [key, value] of Object.entries(held)) if (module[key] !== value) module[key] = value
    }
  }
}

/** Where ops find a tensor's values: of one that a fit trains, what that published last. */
const memoryOf = (tensor: Tensor) => seenIn(tensor)?.of(tensor.buf) ?? tensor.buf

/** What the model applies to a batch of `rows`. */
function runAt(rows: number, model: Module, ports: readonly Port[], preprocessing: Transformer | undefined): Run {
  const graph = new GraphBuilder(new Map(model.namedState().map(([key, tensor]) => [memoryOf(tensor), key])))
  for (const { name } of ports) graph.unique(name)
  const inputs = ports.map((port, i) => {
    if (i === 0 && preprocessing) return preprocessed(graph, preprocessing, port, rows)
    const tensor = hollow(
      port.shape.map(size => size ?? rows),
      port.dtype,
    )
    graph.bind(tensor, port.name)
    return tensor
  })
  const forward = () => (model as Module & { forward(...inputs: Tensor[]): unknown }).forward(...inputs)
  const restore = keepProperties(model)
  try {
    const result = withEmitter(shapesOnly, () => noGrad(() => withTracer(graph.trace, forward)))
    if (!(result instanceof Tensor)) throw typeError(where, 'forward to return a Tensor', result)
    const name: OnnxName = graph.node('Identity', [result], {}, 'output')
    return { graph, output: { name, dtype: result.dtype, shape: result.shape } }
  } finally {
    restore()
  }
}

function traced(model: Module, ports: readonly Port[], preprocessing: Transformer | undefined): Run {
  const restore = model.keepModes()
  try {
    model.eval()
    const [a, b] = SIZES.map(rows => runAt(rows, model, ports, preprocessing))
    return { graph: commonGraph(a.graph, b.graph, SIZES), output: commonPort(a.output, b.output, SIZES) }
  } catch (error) {
    if (!(error instanceof NoOnnxForm || error instanceof Unplannable)) throw error
    throw new AnnealError('ERR_STATE', `${where}: expected what ONNX can express but received ${error.message}`)
  } finally {
    restore()
  }
}

/** Refuses an input that changes nothing, and what one message of protobuf cannot hold. */
function checkGraph({ nodes, constants }: Graph, ports: readonly Port[]): void {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs))
  const odd = ports.find(({ name }) => !read.has(name))
  if (odd) throw shapeError(where, `inputs.${odd.name} to be read by the model`, 'one that no op reads')
  const bytes = constants.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0)
  if (bytes > 2 ** 31 - 2 ** 20) throw shapeError(where, 'parameters of less than 2 GB together', `${bytes} bytes`)
}

/**
 * Writes what a model predicts as an ONNX file (opset 20) for any runtime, batches of any size included.
 *
 * ```ts
 * const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 3))
 * await io.exportOnnx('iris.onnx', model, { inputs: { x: [null, 4] } })
 * ```
 * The inputs keep their names, the result is `output`; weights are initializers under the names of the state dict. null in
 * a shape is the size of the batch: the model runs on tensors without values at two of them, what follows it becomes
 * symbolic. `preprocessing` stands in front, on columns of numbers and in float64; a category that it does not know gives
 * no error there but zeros or, as int32 code, one that no table has. The model keeps its mode; the file has that of
 * evaluation. Of a model that a fit trains the file has what the fit published last, as at the end of an epoch.
 *
 * Needs the package protobufjs. Throws ERR_STATE, with the op and the reason, for what ONNX cannot express: values that
 * the model reads, what depends on the batch without following it, random numbers, losses, categories of text; ERR_SHAPE
 * for shapes that do not fit and for an input that nothing reads; what the disk throws. Source: torch.onnx.export.
 */
export async function exportOnnx(path: string, model: Module, options: ExportOnnxOptions): Promise<void> {
  if (typeof path !== 'string' || path === '') throw typeError(where, 'path to be a path', path)
  const ports = checkExport(model, options)
  const encode = await encoder()
  const { graph, output } = traced(model, ports, options.preprocessing)
  checkGraph(graph, ports)
  const bytes = encode(model.constructor.name || 'model', graph, ports, output)
  await driveAsync(atomicWrite(promisingDisk, path, [bytes]))
}
