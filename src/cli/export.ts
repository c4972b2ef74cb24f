/** `anneal export`: a trained model for other programs. */

import { join } from 'node:path'
import type { Command } from 'commander'
import { io } from '../index.js'
import { loadModel } from './tabular/load_model.js'

interface Options {
  readonly onnx: string | true
  readonly bare?: boolean
  readonly json?: boolean
}

async function exportModel(folder: string, { onnx, bare, json }: Options): Promise<void> {
  const { model, preparation, types, labels } = await loadModel(folder)
  const file = onnx === true ? join(folder, 'model.onnx') : onnx
  const columns = bare ? preparation.getFeatureNamesOut() : Object.keys(types)
  const inputs = { x: [null, columns.length] }
  await io.exportOnnx(file, model, { inputs, ...(!bare && { preprocessing: preparation }) })
  if (json) console.log(JSON.stringify({ file, columns, labels }))
  else
    console.log(
      `${file}: x [rows, ${columns.length}] of ${columns.join(', ')}${labels ? `; scores of ${labels.join(', ')}` : ''}`,
    )
}

const help = `
The file takes one input x, float32 [rows, columns], the columns in the order that is printed, missing values NaN, and
gives a score for each class, or the number. Preprocessing is inside, but text has no ONNX form: with categories, --bare
exports the model alone, which takes the columns that preprocessing makes.

Examples:
  anneal export model/ --onnx
  anneal export model/ --onnx iris.onnx --json`

export function define(command: Command): void {
  command
    .argument('<model>', 'the folder of a trained model')
    .requiredOption('--onnx [file]', 'as ONNX; default: model.onnx in the folder')
    .option('--bare', 'without preprocessing')
    .option('--json', 'file, columns and classes as one JSON object')
    .addHelpText('after', help)
    .action(exportModel)
}
