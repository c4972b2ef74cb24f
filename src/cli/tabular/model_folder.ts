/** The folder of a trained model: the names of its files, and the settings beside the model. Not here: training. */

import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AnnealError, phrase, rangeError } from '../../base/errors.js'
import { isPlainObject } from '../../base/kinds.js'
import type { data } from '../../index.js'
import { flagOf } from '../options.js'
import type { Settings } from './settings.js'
import type { TaskKind } from './task.js'

/** What is written beside a model: what it was trained with, and how tables for it are read. */
export interface SavedSettings {
  readonly settings: Settings
  readonly task: TaskKind
  /** The rate that was asked for or found. */
  readonly lr: number
  /** The types of the columns that the model takes. */
  readonly types: Readonly<Record<string, data.ColumnType>>
  /** The file of the data, and its SHA-256. */
  readonly data: { readonly file: string; readonly sha256: string }
}

/** The pictures that a run may draw. */
export const pictureNames = ['loss', 'accuracy', 'errors', 'lr'] as const
export type PictureName = (typeof pictureNames)[number]

export function filesOf(folder: string) {
  const file = (name: string) => join(folder, name)
  return {
    model: file('model.safetensors'),
    settings: file('settings.json'),
    history: file('history.json'),
    report: file('report.html'),
    checkpoints: file('checkpoints'),
    picture: (name: PictureName) => file(`${name}.svg`),
  }
}

export async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

/** Makes the folder, without the files of an earlier run. */
export async function beginFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { picture, ...files } = filesOf(folder)
  for (const path of [...Object.values(files), ...pictureNames.map(picture)])
    await rm(path, { recursive: true, force: true })
}

export async function writeSettings(folder: string, saved: SavedSettings): Promise<void> {
  await writeFile(filesOf(folder).settings, `${JSON.stringify(saved, null, 2)}\n`)
}

function isSaved(value: unknown): value is SavedSettings {
  if (!isPlainObject(value)) return false
  const { settings, task, types, lr } = value as Record<string, unknown>
  return isPlainObject(settings) && typeof task === 'string' && isPlainObject(types) && typeof lr === 'number'
}

/** The settings in a folder; null where there are none. Throws ERR_FILE_FORMAT for a file of something else. */
export async function readSettings(folder: string): Promise<SavedSettings | null> {
  const file = filesOf(folder).settings
  const text = await readFile(file, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const refuse = (cause?: unknown) =>
    new AnnealError('ERR_FILE_FORMAT', phrase(file, 'the settings of a run', 'others'), { cause })
  let saved: unknown
  try {
    saved = JSON.parse(text)
  } catch (error) {
    throw refuse(error)
  }
  if (isSaved(saved)) return saved
  throw refuse()
}

/** Settings that may be others when a run goes on. */
const free = ['epochs'] as const

/** Throws RangeError with the first difference between a run and the one that it is to go on from. */
export function checkSameRun(folder: string, saved: SavedSettings, settings: Settings, sha256: string): void {
  const text = (value: unknown) => JSON.stringify(value) ?? 'none'
  for (const name of Object.keys(settings) as (keyof Settings)[]) {
    if ((free as readonly string[]).includes(name)) continue
    const [before, now] = [text(saved.settings[name]), text(settings[name])]
    if (before !== now)
      throw rangeError('train', `${flagOf(name)} ${before} as in the run in ${folder}`, settings[name])
  }
  if (saved.data.sha256 !== sha256)
    throw new AnnealError('ERR_STATE', phrase('train', `the data of the run in ${folder}`, 'a file that has changed'))
}
