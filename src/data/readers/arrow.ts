/** Arrow IPC, files (Feather 2) and streams, read by apache-arrow. Not here: the types of its columns (arrow_columns.ts). */

import { importOptional } from '../../base/optional.js'
import { arrowColumns } from '../arrow_columns.js'
import { checkNames } from '../row_builders.js'
import { Table } from '../table.js'
import { beginsWith, cellRefuser, refuseFile, type TableReader } from './reader.js'

const MAGIC = 'ARROW1'
/** How a message of a stream begins. */
const CONTINUATION = '\xff\xff\xff\xff'

export const arrow: TableReader = {
  format: 'arrow',
  endings: ['arrow', 'arrows', 'feather', 'ipc'],
  begins: head => beginsWith(head, MAGIC) || beginsWith(head, CONTINUATION),
  async read(input, { asked }) {
    const { tableFromIPC } = await importOptional('readTable', ['apache-arrow'], () => import('apache-arrow'))
    const bytes = await input.bytes()
    const isFile = beginsWith(bytes, MAGIC)
    if (!isFile && !beginsWith(bytes, CONTINUATION)) refuseFile(input.name, `${MAGIC} at the beginning`, 'other bytes')
    if (isFile && !beginsWith(bytes.subarray(-MAGIC.length), MAGIC))
      refuseFile(input.name, `${MAGIC} at the end`, 'other bytes')
    const table = tableFromIPC(bytes)
    const names = table.schema.fields.map(({ name }) => name)
    checkNames('readTable', asked, names)
    return new Table(arrowColumns(table, asked, cellRefuser(input.name, 'row')), table.numRows)
  },
}
