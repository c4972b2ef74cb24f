/** `anneal evaluate`: how good a model is for a table that has the target. */

import type { Command } from 'commander'
import { textTable } from '../report/index.js'
import { loadModel, outputsFor, readFor } from './tabular/load_model.js'
import { type Scores, scoresFor, scoresText } from './tabular/scores.js'
import { rowsWithTarget } from './tabular/task.js'

function matrixText({ confusionMatrix }: Scores, labels: readonly string[]): string {
  const rows = confusionMatrix!.map((counts, code) => {
    return { 'true class': labels[code], ...Object.fromEntries(counts.map((count, to) => [`as ${labels[to]}`, count])) }
  })
  return textTable(rows)
}

async function evaluate(folder: string, path: string, { json }: { json?: boolean }): Promise<void> {
  const model = await loadModel(folder)
  const { labels, settings } = model
  const table = await readFor(model, path)
  const rows = table.take(rowsWithTarget(table, settings.target))
  const scores = scoresFor(rows, settings.target, labels, await outputsFor(model, rows))
  if (json) console.log(JSON.stringify({ target: settings.target, labels, ...scores }))
  else console.log(`${scores.rows} rows: ${scoresText(scores)}`)
  if (!json && labels) console.log(`\n${matrixText(scores, labels)}`)
}

const help = `
Of classes: accuracy, balanced accuracy, macro F1, log loss, area under the ROC curve, confusion matrix. Of numbers: R²,
root of the mean squared error, mean absolute error, in the target's unit. Rows without the target do not count.

Examples:
  anneal evaluate model/ held-out.csv
  anneal evaluate model/ held-out.csv --json | jq .figures.accuracy`

export function define(command: Command): void {
  command
    .argument('<model>', 'the folder of a trained model')
    .argument('<data>', 'a table with the columns that the model was trained on, and the target')
    .option('--json', 'as one JSON object')
    .addHelpText('after', help)
    .action(evaluate)
}
