/**
 * Data sets larger than memory: a source of tables as parts of tensors, one after the other. Not here: batches
 * (data_loader.ts), what an engine does with parts.
 */

import { checkFunction, checkInt, checkOptions } from '../base/check.js'
import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import { checkTensor, Tensor } from '../tensor/tensor.js'
import type { Dataset } from './dataset.js'
import type { ReadTableOptions } from './read_table.js'
import { rowsOf } from './rows.js'
import type { Table } from './table.js'
import { type LocatedTable, PartOffsets, type TableOffset } from './table_offset.js'
import { type StreamSource, tablesOf } from './table_source.js'

/** Turns the columns of `inputs` into one tensor or several, as `preprocessing.StandardScaler` does. */
export type StreamTransform = ((inputs: Table) => Tensor | readonly Tensor[]) | { transform(inputs: Table): Tensor }

/** Options of `streamTable`. */
export interface StreamOptions extends ReadTableOptions {
  /** Columns of the input tensor, [rows, columns]; one name that is not in an array gives [rows]. */
  inputs: string | readonly string[]
  /** Columns of the target; integers alone become int32. Without it samples are inputs only. */
  target?: string | readonly string[]
  /** Makes the input tensors of the columns; without it they must be numbers. */
  transform?: StreamTransform
  /** Rows that are read, shuffled and trained on together. Default 65,536. */
  partRows?: number
  /** Rows in all; without it they are counted first. */
  rows?: number
}

/** Begins a pass, at an offset or with the first row. */
type Open = (from?: TableOffset) => AsyncGenerator<LocatedTable>

const WHERE = 'streamTable'
const OWN = ['inputs', 'target', 'transform', 'partRows', 'rows']
const READING = ['format', 'columns', 'missing', 'delimiter', 'header']

/** A data set of parts. It has no random access: it is used through a DataLoader. */
export class StreamTable implements Dataset {
  /** Rows in all. */
  readonly length: number
  readonly partRows: number
  /** The shape of a sample's tensors, and their dtypes. */
  readonly samples: readonly { readonly shape: readonly number[]; readonly dtype: Tensor['dtype'] }[]

  /** @internal Use `data.streamTable`. */
  constructor(
    private readonly open: Open,
    private readonly convert: (table: Table) => readonly Tensor[],
    /** @internal Where passes can begin. */
    readonly offsets: PartOffsets,
    { length, first }: { length: number; first: readonly Tensor[] },
  ) {
    this.length = length
    this.partRows = offsets.partRows
    this.samples = first.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype }))
  }

  /** Throws ERR_STATE: rows come in parts. */
  get(): Tensor[] {
    throw new AnnealError(
      'ERR_STATE',
      'StreamTable: expected to be read in parts, through a DataLoader, but received get(i)',
    )
  }

  /** The tables as they are read, once: for what learns from them by `partialFit`. */
  async *tables(): AsyncGenerator<Table> {
    for await (const { table } of this.open()) yield table
  }

  /** One pass over the rows, from part number `first` on: tensors of `partRows` rows each, fewer in the last. */
  async *parts(first = 0): AsyncGenerator<Tensor[]> {
    const from = this.offsets.of(first)
    let seen = from?.row ?? 0
    let skip = first * this.partRows - seen
    let part = this.#emptyPart(first * this.partRows)
    for await (const { table, offset } of this.open(from?.offset)) {
      this.offsets.note(seen, table.rows, offset)
      const skipped = Math.min(skip, table.rows)
      skip -= skipped
      seen += skipped
      if (skipped === table.rows) continue
      const tensors = this.#checked(this.convert(table))
      for (let at = skipped; at < table.rows; ) {
        const count = Math.min(part.room, table.rows - at)
        part.add(tensors, at, count)
        at += count
        seen += count
        if (seen > this.length) this.#refuseRows(`more`)
        if (part.room > 0) continue
        if (part.rows > 0) yield part.tensors()
        part = this.#emptyPart(seen)
      }
    }
    if (seen < this.length) this.#refuseRows(String(seen))
    if (part.rows > 0) yield part.tensors()
  }

  #emptyPart(seen: number): Part {
    return new Part(this.samples, Math.min(this.partRows, Math.max(1, this.length - seen)))
  }

  #refuseRows(received: string): never {
    throw new AnnealError('ERR_STATE', phrase(WHERE, `${this.length} rows, as there were at first,`, received))
  }

  #checked(tensors: readonly Tensor[]): readonly Tensor[] {
    tensors.forEach(({ shape, dtype }, i) => {
      const want = this.samples[i]
      if (dtype !== want.dtype || shape.slice(1).join() !== want.shape.join())
        throw shapeError(
          WHERE,
          `${want.dtype} [n, ${want.shape.join(', ')}] as at first`,
          `${dtype} [${shape.join(', ')}]`,
        )
    })
    return tensors
  }
}

/** Rows that are gathered until there are enough. */
class Part {
  rows = 0
  readonly #values: (Float32Array | Int32Array)[]

  constructor(
    private readonly samples: StreamTable['samples'],
    private readonly most: number,
  ) {
    this.#values = samples.map(({ shape, dtype }) => {
      const size = most * shape.reduce((a, b) => a * b, 1)
      return dtype === 'int32' ? new Int32Array(size) : new Float32Array(size)
    })
  }

  get room(): number {
    return this.most - this.rows
  }

  /** Copies `count` rows from `at` on. */
  add(tensors: readonly Tensor[], at: number, count: number): void {
    tensors.forEach(({ values: data, shape }, i) => {
      const width = shape.slice(1).reduce((a, b) => a * b, 1)
      this.#values[i].set(data.subarray(at * width, (at + count) * width), this.rows * width)
    })
    this.rows += count
  }

  tensors(): Tensor[] {
    return this.samples.map(({ shape, dtype }, i) => {
      const width = shape.reduce((a, b) => a * b, 1)
      return new Tensor([this.rows, ...shape], dtype, this.#values[i].subarray(0, this.rows * width))
    })
  }
}

/**
 * A data set that is read in parts while it is trained on, from files or a function, for a DataLoader.
 *
 * ```ts
 * const stream = await data.streamTable('clicks.csv', { inputs: ['age', 'hour'], target: 'clicked', partRows: 100_000 })
 * const train = new data.DataLoader(stream, { batchSize: 256, shuffle: true })
 * await fit(model, { train, loss, optimizer, epochs: 3 })
 * ```
 * `source`: a path, a folder (its files by name), a list of paths, or a function that gives an iterable of tables, rows or
 * columns and begins anew at every call. Shuffling is within a part; rows that do not fill a batch move to the front of the
 * next part, so that only the last batch may be smaller. A set of one part gives the numbers of a TensorDataset. Without
 * `rows` a counting pass comes first. A run that is resumed in the middle of a pass reads on from where the file was then,
 * as far as it is text without quotes and not compressed, else from the beginning of that file. Options of `readTable`
 * apply. `stream.tables()` gives the tables to learn from by `partialFit`. Throws what readTable throws, ERR_EMPTY without
 * rows, and ERR_STATE where a later pass has other rows.
 */
export async function streamTable(source: StreamSource, options: StreamOptions): Promise<StreamTable> {
  const { inputs, target, transform, partRows = 65_536, rows } = checkOptions(WHERE, options, [...OWN, ...READING])
  checkInt(WHERE, 'partRows', partRows, { min: 1 })
  if (rows !== undefined) checkInt(WHERE, 'rows', rows, { min: 1, max: 2 ** 31 - 1 })
  const reading = Object.fromEntries(Object.entries(options).filter(([name]) => READING.includes(name)))
  const open: Open = from => tablesOf(WHERE, source, reading, from)
  const offsets = new PartOffsets(partRows)
  const convert = converter(
    checkNames('inputs', inputs),
    target === undefined ? null : checkNames('target', target),
    transform,
  )
  const { first, count } = await look(open, convert, offsets, rows)
  return new StreamTable(open, convert, offsets, { length: count, first })
}

/** The first tensors, and the rows of all tables where they are not known. */
async function look(
  open: Open,
  convert: (table: Table) => readonly Tensor[],
  offsets: PartOffsets,
  rows: number | undefined,
): Promise<{ first: readonly Tensor[]; count: number }> {
  let first: readonly Tensor[] | null = null
  let count = 0
  for await (const { table, offset } of open()) {
    if (table.rows === 0) continue
    offsets.note(count, table.rows, offset)
    first ??= convert(table)
    count += table.rows
    if (rows !== undefined) return { first, count: rows }
  }
  if (first === null) throw new AnnealError('ERR_EMPTY', `${WHERE}: expected at least one row but received none`)
  return { first, count }
}

function checkNames(option: string, names: string | readonly string[]): string | readonly string[] {
  const good = typeof names === 'string' || (Array.isArray(names) && names.length > 0)
  if (!good) throw typeError(WHERE, `${option} to be a column's name or several`, names)
  return names
}

function converter(
  inputs: string | readonly string[],
  target: string | readonly string[] | null,
  transform: StreamTransform | undefined,
): (table: Table) => readonly Tensor[] {
  const apply = transform && transformOf(transform)
  return table => {
    const x = apply ? apply(table.select(typeof inputs === 'string' ? [inputs] : inputs)) : table.toTensor(inputs)
    const tensors: readonly Tensor[] = Array.isArray(x) ? x : [x]
    tensors.forEach((t, i) => {
      const name = `transform's tensor ${i}`
      const count = rowsOf(WHERE, name, checkTensor(WHERE, name, t))
      if (count !== table.rows) throw shapeError(WHERE, `transform to keep ${table.rows} rows`, String(count))
    })
    return target === null ? tensors : [...tensors, targetOf(table, target)]
  }
}

function transformOf(transform: StreamTransform): (inputs: Table) => Tensor | readonly Tensor[] {
  if (typeof transform === 'object' && transform !== null && 'transform' in transform)
    return inputs => transform.transform(inputs)
  return checkFunction(WHERE, 'transform', transform as (inputs: Table) => Tensor)
}

/** Labels are int32, everything else float32. */
function targetOf(table: Table, target: string | readonly string[]): Tensor {
  const names = typeof target === 'string' ? [target] : target
  const labels = names.every(name => table.types[name] === 'integer')
  return table.toTensor(target, { dtype: labels ? 'int32' : 'float32' })
}
