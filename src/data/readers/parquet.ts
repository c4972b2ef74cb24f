/** Parquet, read by hyparquet with its compressors. */

import { describe } from '../../base/errors.js'
import { missingPackage } from '../../base/optional.js'
import type { ColumnType } from '../column.js'
import { checkNames, ValueColumn } from '../row_builders.js'
import { Table } from '../table.js'
import { beginsWith, cellRefuser, refuseFile, type TableReader } from './reader.js'

async function load() {
  try {
    const parquet = await import('hyparquet')
    const { compressors } = await import('hyparquet-compressors')
    return { ...parquet, compressors }
  } catch (cause) {
    throw missingPackage('readTable', ['hyparquet', 'hyparquet-compressors'], cause)
  }
}

/** A piece of a column: values from row `rowStart` on. */
interface Run {
  rowStart: number
  columnData: ArrayLike<unknown>
}

/** The schema's floating-point columns are numbers, whatever their values. */
const FLOATS = ['DOUBLE', 'FLOAT']

export const parquet: TableReader = {
  format: 'parquet',
  endings: ['parquet'],
  begins: head => beginsWith(head, 'PAR1'),
  async read(input, { asked }) {
    const { parquetMetadataAsync, parquetRead, parquetSchema, compressors } = await load()
    const bytes = await input.bytes()
    if (!beginsWith(bytes, 'PAR1') || bytes.length < 12) refuseFile(input.name, 'PAR1 at the beginning', 'other bytes')
    const file = {
      byteLength: bytes.length,
      slice: (start: number, end?: number) => new Uint8Array(bytes.subarray(start, end)).buffer,
    }
    const metadata = await parquetMetadataAsync(file)
    const fields = parquetSchema(metadata).children.map(({ element }) => element)
    const rows = Number(metadata.num_rows)
    if (!(rows < 2 ** 31)) refuseFile(input.name, 'fewer than 2^31 rows', String(rows))
    checkNames(
      'readTable',
      asked,
      fields.map(({ name }) => name),
    )
    const runs = new Map<string, Run[]>(fields.map(({ name }) => [name, []]))
    const onChunk = ({ columnName, rowStart, columnData }: Run & { columnName: string }) =>
      void runs.get(columnName)?.push({ rowStart, columnData })
    await parquetRead({ file, metadata, compressors, onChunk })
    const columns = fields.map(({ name, type }) => {
      const told: ColumnType | undefined = FLOATS.includes(type ?? '') ? 'number' : undefined
      const column = new ValueColumn(name, asked.get(name) ?? told, cellRefuser(input.name, 'row'))
      pushRuns(column, runs.get(name)!, rows, (expected, received) =>
        refuseFile(`${input.name}, column ${describe(name)}`, expected, received),
      )
      runs.delete(name)
      return column.finish(rows)
    })
    return new Table(columns, rows)
  },
}

/** Runs must follow each other without a gap and make up all rows. */
function pushRuns(
  column: ValueColumn,
  runs: Run[],
  rows: number,
  refuse: (expected: string, received: string) => never,
): void {
  let row = 0
  for (const { rowStart, columnData } of runs.sort((a, b) => a.rowStart - b.rowStart)) {
    if (rowStart !== row) refuse(`values from row ${row} on`, `row ${rowStart}`)
    for (let i = 0; i < columnData.length; i++) column.push(columnData[i], row++)
  }
  if (row !== rows) refuse(`${rows} values`, String(row))
}
