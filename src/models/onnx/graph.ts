/**
 * An ONNX graph in the making: what ops add nodes and constants to while a model runs on tensors without values. Not
 * here: what depends on the batch (batch_size.ts), the file (encode.ts).
 */

import { Unplannable } from '../../emitters/unplannable.js'
import {
  NoOnnxForm,
  type OnnxAttributes,
  type OnnxGraph,
  type OnnxName,
  type OnnxType,
  type OnnxValue,
} from '../../ops/onnx.js'
import type { Value } from '../../ops/spec.js'
import type { Tracer } from '../../tensor/tape.js'

export interface Node {
  /** What it is there for, as messages name it: an op, or a transformer. */
  readonly from: string
  readonly opType: string
  readonly inputs: readonly OnnxName[]
  readonly output: OnnxName
  readonly attributes: OnnxAttributes
}

export interface Constant {
  readonly from: string
  readonly name: OnnxName
  readonly type: OnnxType
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
  /** Whether the values are a shape, whose sizes may follow the batch. */
  readonly isShape: boolean
}

/** An input or output: null is the size of the batch, undefined one that follows it. */
export interface Port {
  readonly name: OnnxName
  readonly dtype: 'float32' | 'int32'
  readonly shape: readonly (number | null | undefined)[]
}

/** What it is made of. Nodes come after those they read. */
export interface Graph {
  readonly nodes: readonly Node[]
  readonly constants: readonly Constant[]
}

export class GraphBuilder implements OnnxGraph, Graph {
  readonly nodes: Node[] = []
  readonly constants: Constant[] = []
  /** What the next nodes are there for. */
  private from = 'model'
  readonly #names = new Set<OnnxName>()
  readonly #tensors = new Map<Value, OnnxName>()
  /** Values by their buffers, for tensors that share one: `detach()`, `reshape()`. */
  readonly #sharing = new Map<unknown, Value[]>()

  /** `known`: the names of tensors that the model holds. */
  constructor(private readonly known: ReadonlyMap<unknown, string>) {}

  /** Says that `tensor` is the value of this name. */
  bind(tensor: Value, name: OnnxName): void {
    this.#tensors.set(tensor, name)
    this.#sharing.set(tensor.buf, [...(this.#sharing.get(tensor.buf) ?? []), tensor])
  }

  /** A name like this one that nothing has yet. */
  unique(wanted: string): OnnxName {
    let name = wanted
    for (let i = 1; this.#names.has(name); i++) name = `${wanted}_${i}`
    this.#names.add(name)
    return name
  }

  node(opType: string, inputs: readonly OnnxValue[], attributes: OnnxAttributes = {}, output = opType): OnnxName {
    const names = inputs.map(value => this.nameOf(value))
    const name = this.unique(output)
    this.nodes.push({ from: this.from, opType, inputs: names, output: name, attributes })
    return name
  }

  constant(type: OnnxType, values: readonly number[] | Float64Array, shape = [values.length] as readonly number[]) {
    return this.#add('constant', type, shape, values, false)
  }

  shape(shape: readonly number[]): OnnxName {
    return this.#add('shape', 'int64', [shape.length], shape, true)
  }

  cast(x: OnnxValue, to: OnnxType): OnnxName {
    return this.node('Cast', [x], { ints: { to: elementTypes[to] } })
  }

  /** Adds every op that is applied. */
  readonly trace: Tracer = (spec, app, result) => {
    this.add(spec.name, () => this.bind(result, this.nameOf(spec.onnx(this, app))))
  }

  /** Adds what `form` adds on behalf of `from`, which a refusal names. */
  add<T>(from: string, form: () => T): T {
    this.from = from
    try {
      return form()
    } catch (error) {
      throw error instanceof NoOnnxForm ? new NoOnnxForm(`${from}: ${error.message}`) : error
    }
  }

  /** The name of a value; tensors that no op made become constants. */
  nameOf(value: OnnxValue): OnnxName {
    if (typeof value === 'string') return value
    const bound = this.#tensors.get(value) ?? this.#tensors.get(this.#sameValues(value) as Value)
    if (bound !== undefined) return bound
    if (!ArrayBuffer.isView(value.buf)) throw new Unplannable('the model keeps a tensor of an earlier run')
    const { shape, dtype } = value
    const name = this.#add(this.known.get(value.buf) ?? 'constant', dtype, shape, value.buf as never, false)
    this.bind(value, name)
    return name
  }

  /** A known tensor with the values of `value`, if there is one. */
  #sameValues({ buf, shape }: Value): Value | undefined {
    return this.#sharing.get(buf)?.find(other => String(other.shape) === String(shape))
  }

  #add(wanted: string, type: OnnxType, shape: readonly number[], values: ArrayLike<number>, isShape: boolean) {
    const name = this.unique(wanted)
    this.constants.push({ from: this.from, name, type, shape, values, isShape })
    return name
  }
}

/** The numbers of TensorProto.DataType. */
export const elementTypes = { float32: 1, int32: 6, int64: 7, float64: 11 } as const
