/** Tables from files, buffers and streams. Not here: the formats, each of which is a file in readers/. */

import { checkBoolean, checkOneOf, checkOptions } from '../base/check.js'
import { AnnealError, phrase, rangeError, typeError } from '../base/errors.js'
import { type Input, openInput, type TableSource } from './input.js'
import { readerOf, readers } from './readers/index.js'
import type { ReadOptions, TableFormat } from './readers/reader.js'
import { type ColumnOptions, checkColumns } from './row_builders.js'
import type { Table } from './table.js'

/** Options of `readTable`. */
export interface ReadTableOptions extends ColumnOptions {
  /** Default: by the name's ending, else by the first bytes, else csv. */
  format?: TableFormat
  /** Texts that mean a missing value, instead of the usual ones ('', NA, NaN, null, …). CSV and TSV. */
  missing?: readonly string[]
  /** One character between cells. Default: the one of , ; tab | that is most frequent in the first line. CSV. */
  delimiter?: string
  /** Whether the first line has names. Default: true, unless it is all numbers. CSV and TSV. */
  header?: boolean
}

/** Texts that mean a missing value where nothing else is said: pandas' list. */
const MISSING = [
  ...['', '#N/A', '#N/A N/A', '#NA', '-1.#IND', '-1.#QNAN', '-NaN', '-nan', '1.#IND', '1.#QNAN', '<NA>', 'N/A', 'NA'],
  ...['NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
]

const WHERE = 'readTable'

/**
 * Reads a table from a file, a Buffer or a stream.
 *
 * ```ts
 * const table = await data.readTable('people.csv', { columns: { zip: 'text' }, missing: ['', '?'] })
 * console.log(table.types) // { age: 'integer', income: 'number', city: 'category', zip: 'text' }
 * const X = table.toTensor(['age', 'income'])
 * ```
 * Formats: CSV, TSV, JSON lines, Parquet, Arrow IPC (file and stream), npy, npz (a column per array), IDX, and gzip of any
 * of them. Types are told from the data: texts that are all integers, decimal numbers, true/false or ISO dates (UTC where no
 * zone is given) become such, numbers with leading zeros and everything else text, or category where at most half of the
 * values and at most 1,000 differ; `columns` overrides. Missing numbers are NaN, everything else null; integers beyond 2^53
 * are bigint; decimals become the nearest number. The libraries for CSV, Parquet, Arrow and npz are loaded on use.
 * Throws ERR_FILE_FORMAT with file, line or row, column and value; ERR_MISSING_PACKAGE with what to install; what the disk
 * throws; TypeError or RangeError for options. Source: pandas.read_csv and its kin.
 */
export async function readTable(source: TableSource, options: ReadTableOptions = {}): Promise<Table> {
  const checked = checkReadOptions(options)
  const input = await openInput(WHERE, source)
  try {
    return await readerOf(input, options.format).read(input, checked)
  } catch (error) {
    throw asFileError(error, input)
  } finally {
    await input.close()
  }
}

export function checkReadOptions(options: ReadTableOptions): ReadOptions {
  const known = ['format', 'columns', 'missing', 'delimiter', 'header']
  const { format, columns, missing = MISSING, delimiter, header } = checkOptions(WHERE, options, known)
  if (format !== undefined)
    checkOneOf(
      WHERE,
      'format',
      format,
      readers.map(reader => reader.format),
    )
  if (!Array.isArray(missing) || !missing.every(text => typeof text === 'string'))
    throw typeError(WHERE, 'missing to be an array of texts', missing)
  if (delimiter !== undefined && typeof delimiter !== 'string')
    throw typeError(WHERE, 'delimiter to be text', delimiter)
  if (delimiter !== undefined && (delimiter.length !== 1 || /["\r\n]/.test(delimiter)))
    throw rangeError(WHERE, 'delimiter to be one character that is no quote or line end', delimiter)
  if (header !== undefined) checkBoolean(WHERE, 'header', header)
  return { asked: checkColumns(WHERE, columns), missing: new Set(missing), delimiter, header }
}

/** What a library throws at a broken file as our error; ours and the disk's as they are. */
export function asFileError(error: unknown, { name, format }: Input): unknown {
  const { code, errno, syscall } = (error ?? {}) as NodeJS.ErrnoException
  const known = error instanceof AnnealError || String(code).startsWith('ERR_ARG_')
  if (known || (errno !== undefined && syscall !== undefined)) return error
  const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
  return new AnnealError('ERR_FILE_FORMAT', phrase(name, `a sound ${format} file`, reason), { cause: error })
}
