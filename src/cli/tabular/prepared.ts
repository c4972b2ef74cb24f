/** A table made ready for training: split, inputs as numbers, targets, loaders. Not here: the model (recipe.ts). */

import { data, nn, type preprocessing, type Tensor } from '../../index.js'
import { chooseInputs, type Inputs, inputsOf, makePreparation } from './columns.js'
import type { Settings } from './settings.js'
import {
  codesOf,
  labelsIn,
  numbersOf,
  rowsWithTarget,
  type Scale,
  scaled,
  scaleOf,
  type TaskKind,
  toldTask,
} from './task.js'

/** Rows that are evaluated at a time: mostly all of them, so that the mean over batches is that over rows. */
const TEST_BATCH = 8192

type DataSettings = Pick<Settings, 'target' | 'task' | 'ignore' | 'val' | 'seed' | 'batch'>

export interface Prepared {
  readonly task: TaskKind
  /** The names of the classes; null of numbers. */
  readonly labels: readonly string[] | null
  /** Of a target of numbers: what it was scaled by. */
  readonly scale: Scale | null
  readonly inputs: Inputs
  readonly preparation: preprocessing.ColumnTransformer
  /** Columns of the model's input and output. */
  readonly width: { readonly input: number; readonly output: number }
  readonly loss: nn.Loss
  readonly train: data.DataLoader
  readonly test: data.DataLoader | undefined
  /** The rows, with a target, that are trained on and validated on. */
  readonly rows: { readonly train: data.Table; readonly test: data.Table | null }
}

/** Whether every class has a row for each part, and each part a row for every class. */
function canStratify(codes: Tensor, classes: number, val: number): boolean {
  const counts = new Int32Array(classes)
  for (const code of codes.data as Int32Array) counts[code]++
  const test = Math.ceil(val * codes.data.length)
  return counts.every(count => count >= 2) && test >= classes && codes.data.length - test >= classes
}

/** The table in its parts. */
function split(table: data.Table, { val, seed }: DataSettings, codes: Tensor | null, classes: number) {
  if (val === 0) return { train: table, test: null }
  const stratify = codes && canStratify(codes, classes, val) ? codes : null
  const rows = data.trainTestIndices(table.rows, { testSize: val, randomState: seed, stratify })
  return { train: table.take(rows.train), test: table.take(rows.test) }
}

/** Makes a table ready. What is learned of it, as means and categories, is learned of the training rows alone. */
export function prepare(given: data.Table, settings: DataSettings): Prepared {
  const { target, ignore, batch } = settings
  const inputs = chooseInputs(given, target, ignore)
  const table = given.take(rowsWithTarget(given, target))
  const task = settings.task ?? toldTask(table.column(target))
  const labels = task === 'classification' ? labelsIn(table.column(target), target) : null
  const codes = labels && codesOf(table.column(target), labels, target)
  const rows = split(table, settings, codes, labels?.length ?? 0)
  const scale = labels ? null : scaleOf(numbersOf(rows.train.column(target), target))
  const preparation = makePreparation(inputs).fit(inputsOf(rows.train, inputs))
  const targets = (part: data.Table) =>
    labels ? codesOf(part.column(target), labels, target) : scaled(numbersOf(part.column(target), target), scale!)
  const setOf = (part: data.Table) =>
    new data.TensorDataset(preparation.transform(inputsOf(part, inputs)), targets(part))
  return {
    ...{ task, labels, scale, inputs, preparation, rows },
    width: { input: preparation.getFeatureNamesOut().length, output: labels?.length ?? 1 },
    loss: labels ? new nn.CrossEntropyLoss() : new nn.MSELoss(),
    train: new data.DataLoader(setOf(rows.train), { batchSize: batch, shuffle: true }),
    test: rows.test ? new data.DataLoader(setOf(rows.test), { batchSize: TEST_BATCH }) : undefined,
  }
}

/** Gives a trained model the target's own unit: what it was scaled by goes into the last layer. */
export function foldScale(model: nn.Sequential, { mean, scale }: Scale): void {
  const last = model.namedChildren().at(-1)![1] as nn.Linear
  const weight = last.weight.detach().mul(scale)
  const bias = last.bias!.detach().mul(scale).add(mean)
  last.loadStateDict({ weight, bias })
}
