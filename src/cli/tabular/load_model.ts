/** A saved model and tables for it. Not here: saving (train_table.ts). */

import { existsSync } from 'node:fs'
import { AnnealError, describe, phrase } from '../../base/errors.js'
import { data, io, type nn, predict, type preprocessing, type Tensor } from '../../index.js'
import { filesOf, readSettings, type SavedSettings } from './model_folder.js'

export interface SavedModel extends SavedSettings {
  readonly model: nn.Sequential
  readonly preparation: preprocessing.Transformer
  /** The names of the classes; null of numbers. */
  readonly labels: readonly string[] | null
}

/** Throws ERR_STATE for a folder that has no model, or none yet. */
export async function loadModel(folder: string): Promise<SavedModel> {
  const files = filesOf(folder)
  const saved = await readSettings(folder)
  const received = saved ? 'an interrupted run: anneal train … --resume goes on' : 'none; anneal train makes one'
  if (!saved || !existsSync(files.model))
    throw new AnnealError('ERR_STATE', phrase(folder, 'a trained model', received))
  const { model, preprocessing: preparation, labels } = await io.load<nn.Sequential>(files.model)
  return { ...saved, model, preparation: preparation!, labels }
}

/** A table with the types that the model was trained on. Throws ERR_STATE where a column is not there. */
export async function readFor({ types }: SavedModel, path: string): Promise<data.Table> {
  const table = await data.readTable(path)
  const absent = Object.keys(types).filter(name => !table.names.includes(name))
  if (absent.length > 0)
    throw new AnnealError(
      'ERR_STATE',
      phrase(path, `the columns ${absent.map(describe).join(', ')}`, 'none of that name'),
    )
  const told = Object.entries(types).every(([name, type]) => sameStorage(table.types[name], type))
  return told ? table : data.readTable(path, { columns: types })
}

/** Whether columns of two types hold their values alike. */
function sameStorage(a: data.ColumnType, b: data.ColumnType): boolean {
  const kind = (type: data.ColumnType) => ({ integer: 'number', category: 'text' })[type as string] ?? type
  return kind(a) === kind(b)
}

/** The model's outputs, a row each. */
export async function outputsFor({ model, preparation, types }: SavedModel, table: data.Table): Promise<Tensor> {
  return predict(model, preparation.transform(table.select(Object.keys(types))))
}
