/** `anneal predict`: a table with the column that a model predicts. */

import type { Command } from 'commander'
import { linesOf } from '../data/write_table.js'
import { data, type Tensor } from '../index.js'
import { loadModel, outputsFor, readFor, type SavedModel } from './tabular/load_model.js'

interface Options {
  readonly out?: string
  readonly column?: string
  readonly probabilities?: boolean
  readonly json?: boolean
}

/** A float32 in the digits that it has. */
const shortened = (value: number) => Number(value.toPrecision(7))

type Columns = Record<string, number[] | string[]>

/** The predicted column, and those of probabilities behind it where they are asked for. */
function predicted({ labels }: SavedModel, outputs: Tensor, column: string, probabilities: boolean): Columns {
  if (!labels) return { [column]: Array.from(outputs.data, shortened) }
  const classes = { [column]: Array.from(outputs.argmax(1).data, code => labels[code]) }
  if (!probabilities) return classes
  const shares = outputs.softmax(1).toArray() as number[][]
  const columns = labels.map((label, code) => [`${column}_${label}`, shares.map(row => shortened(row[code]))])
  return { ...classes, ...Object.fromEntries(columns) }
}

/** The table with further columns, which take the place of those with their names. */
function withColumns(table: data.Table, columns: Columns): data.Table {
  const kept = table.names.filter(name => !Object.hasOwn(columns, name))
  const own = kept.map(name => [name, table.column(name)] as const)
  const types = Object.fromEntries(kept.map(name => [name, table.types[name]]))
  return data.tableFrom({ ...Object.fromEntries(own), ...columns }, { columns: types })
}

async function predict(folder: string, path: string, { out, column, probabilities, json }: Options): Promise<void> {
  const model = await loadModel(folder)
  const table = await readFor(model, path)
  const { target } = model.settings
  const name = column ?? (table.names.includes(target) ? `predicted_${target}` : target)
  const outputs = await outputsFor(model, table)
  const added = predicted(model, outputs, name, probabilities ?? false)
  const answered = withColumns(table, added)
  if (out !== undefined) await data.writeTable(out, answered)
  else if (!json) for (const lines of linesOf(answered, ',')) process.stdout.write(lines)
  if (json) console.log(JSON.stringify({ rows: table.rows, column: name, ...(out ? { out } : added) }))
  else if (out !== undefined) console.log(`${table.rows} rows with ${name} in ${out}`)
}

const help = `
The column has the target's name, or predicted_NAME where the table has the target. Classes that were not seen in training
are none of a category; missing numbers are filled in as in training.

Examples:
  anneal predict model/ new.csv -o out.csv
  anneal predict model/ new.csv --probabilities > out.csv
  anneal predict model/ new.csv --json | jq .species`

export function define(command: Command): void {
  command
    .argument('<model>', 'the folder of a trained model')
    .argument('<data>', 'a table with the columns that the model was trained on')
    .option('-o, --out <file>', 'CSV or TSV; default: CSV on standard output')
    .option('--column <name>', 'of the predictions')
    .option('--probabilities', 'also a column for each class')
    .option('--json', 'predictions, or what was written, as one JSON object')
    .addHelpText('after', help)
    .action(predict)
}
