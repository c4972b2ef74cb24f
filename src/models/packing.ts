/**
 * Plain data with tensors in it as a JSON text and named tensors, and back. Numbers come back bit for bit; lists of
 * float64 travel as tensors of their bits. Not here: what the data means, or the file.
 */

import { describe } from '../base/errors.js'
import type { TensorMap } from '../io/index.js'
import { Tensor } from '../tensor/index.js'

/** What stands in the text for a value that JSON does not have: an object with one of these keys. */
const MARK = '$'

type Marked = { [MARK]: 'tensor' | 'float64' | 'bytes' | 'number'; value: string }

export interface Packed {
  readonly text: string
  readonly tensors: TensorMap
}

const isData = (value: object) => [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** Throws Error in words for what is no plain data: functions, objects of other classes, cycles. */
export function pack(value: unknown): Packed {
  const tensors: Record<string, Tensor> = Object.create(null)
  const put = (path: string, kind: Marked[typeof MARK], tensor: Tensor): Marked => {
    tensors[path] = tensor
    return { [MARK]: kind, value: path }
  }
  const packed = (value: unknown, path: string, above: readonly object[]): unknown => {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
    if (typeof value === 'number')
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { [MARK]: 'number', value: numberText(value) }
    if (value instanceof Tensor) return put(path, 'tensor', value)
    if (value instanceof Float64Array) return put(path, 'float64', bitsOf(value))
    if (value instanceof Uint8Array) return { [MARK]: 'bytes', value: Buffer.from(value).toString('base64') }
    if (typeof value !== 'object' || above.includes(value))
      throw new Error(`${path || 'state'}: expected plain data but received ${describe(value)}`)
    const inside = [...above, value]
    if (Array.isArray(value)) return value.map((item, i) => packed(item, join(path, String(i)), inside))
    if (!isData(value) || MARK in value)
      throw new Error(`${path || 'state'}: expected plain data but received ${describe(value)}`)
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    return Object.fromEntries(entries.map(([key, item]) => [key, packed(item, join(path, key), inside)]))
  }
  return { text: JSON.stringify(packed(value, '', [])), tensors }
}

const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`)
const numberText = (value: number) => (Object.is(value, -0) ? '-0' : String(value))

function bitsOf(values: Float64Array): Tensor {
  const bits = new Int32Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength))
  return new Tensor([bits.length], 'int32', bits)
}

/** Throws Error in words where the text is not one of `pack`'s, or names a tensor that is not there. */
export function unpack({ text, tensors }: Packed): unknown {
  const found = (name: string): Tensor => {
    if (!Object.hasOwn(tensors, name)) throw new Error(`expected a tensor ${describe(name)} but received none`)
    return tensors[name]
  }
  const unmarked = ({ [MARK]: kind, value }: Marked): unknown => {
    if (kind === 'tensor') return found(value)
    if (kind === 'float64') return new Float64Array((found(value).values as Int32Array).slice().buffer)
    if (kind === 'bytes') return new Uint8Array(Buffer.from(value, 'base64'))
    if (kind === 'number') return Number(value)
    throw new Error(`expected a kind of value but received ${describe(kind)}`)
  }
  return JSON.parse(text, (_, value) =>
    typeof value === 'object' && value !== null && MARK in value ? unmarked(value as Marked) : value,
  )
}
