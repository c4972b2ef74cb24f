/** IDX, the format of MNIST: big-endian numbers behind their type and sizes. The array is one column, `values`. */

import type { NumberArray } from '../column.js'
import { checkNames } from '../row_builders.js'
import { fromColumns, numberColumn } from '../table_from.js'
import { refuseFile, type TableReader } from './reader.js'

type NumberArrayType = (new (bytes: ArrayBuffer) => NumberArray) & { BYTES_PER_ELEMENT: number }

/** By the third byte of the file. */
const types: ReadonlyMap<number, NumberArrayType> = new Map<number, NumberArrayType>([
  [0x08, Uint8Array],
  [0x09, Int8Array],
  [0x0b, Int16Array],
  [0x0c, Int32Array],
  [0x0d, Float32Array],
  [0x0e, Float64Array],
])

const MAX_RANK = 8

export const idx: TableReader = {
  format: 'idx',
  endings: ['idx', 'ubyte'],
  begins: ([a, b, type, rank]) => a === 0 && b === 0 && types.has(type) && rank >= 1 && rank <= MAX_RANK,
  async read(input, { asked }) {
    const bytes = await input.bytes()
    const [a, b, type, rank] = bytes
    const ArrayType = types.get(type)
    if (a !== 0 || b !== 0 || !ArrayType || !(rank >= 1 && rank <= MAX_RANK))
      return refuseFile(input.name, 'two zeros, a type and 1 to 8 dimensions at the beginning', 'other bytes')
    const start = 4 + 4 * rank
    if (bytes.length < start) refuseFile(input.name, `${rank} sizes`, `${bytes.length} bytes`)
    const sizes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const shape = Array.from({ length: rank }, (_, d) => sizes.getUint32(4 + 4 * d))
    const wanted = shape.reduce((product, n) => product * n, ArrayType.BYTES_PER_ELEMENT)
    if (wanted !== bytes.length - start)
      refuseFile(input.name, `${wanted} bytes for [${shape.join(', ')}]`, String(bytes.length - start))
    const raw = new Uint8Array(bytes.subarray(start))
    const values = new ArrayType(raw.buffer)
    for (let at = 0; at < raw.length && values.BYTES_PER_ELEMENT > 1; at += values.BYTES_PER_ELEMENT)
      raw.subarray(at, at + values.BYTES_PER_ELEMENT).reverse()
    checkNames('readTable', asked, ['values'])
    return fromColumns([numberColumn('values', values, shape.slice(1))], input.name)
  },
}
