/** Arrow IPC, files (Feather 2) and streams, read by apache-arrow. Not here: the types of its columns (arrow_columns.ts). */

import { missingPackage } from '../../base/optional.js'
import { arrowColumns } from '../arrow_columns.js'
import { checkNames } from '../row_builders.js'
import { Table } from '../table.js'
import { checkArrowMetadata } from './arrow_metadata.js'
import { beginsWith, cellRefuser, refuseFile, type TableReader } from './reader.js'

const MAGIC = 'ARROW1'
/** Arrow's number of the type that has no values. */
const NULL = 1
/** How a message of a stream begins. */
const CONTINUATION = '\xff\xff\xff\xff'

async function loadArrow() {
  try {
    return await import('apache-arrow')
  } catch (cause) {
    throw missingPackage('readTable', ['apache-arrow'], cause)
  }
}

export const arrow: TableReader = {
  format: 'arrow',
  endings: ['arrow', 'arrows', 'feather', 'ipc'],
  begins: head => beginsWith(head, MAGIC) || beginsWith(head, CONTINUATION),
  async read(input, { asked }) {
    const { tableFromIPC } = await loadArrow()
    const bytes = await input.bytes()
    const isFile = beginsWith(bytes, MAGIC)
    if (!isFile && !beginsWith(bytes, CONTINUATION)) refuseFile(input.name, `${MAGIC} at the beginning`, 'other bytes')
    if (isFile && !beginsWith(bytes.subarray(-MAGIC.length), MAGIC))
      refuseFile(input.name, `${MAGIC} at the end`, 'other bytes')
    checkArrowMetadata(input.name, bytes, isFile)
    const table = tableFromIPC(bytes)
    // A row is a bit at least, but of columns without any value.
    const isEmpty = table.schema.fields.every(({ type }) => type.typeId === NULL)
    if (!isEmpty && table.numRows > 8 * bytes.length)
      refuseFile(input.name, `at most ${8 * bytes.length} rows`, String(table.numRows))
    const names = table.schema.fields.map(({ name }) => name)
    checkNames('readTable', asked, names)
    return new Table(arrowColumns(table, asked, cellRefuser(input.name, 'row')), table.numRows)
  },
}
