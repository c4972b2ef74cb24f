/**
 * A folder of a sweep's runs: a file for each, whole or not there. Not here: which runs, and training them
 * (stored_sweep.ts), the files' bytes (models/checkpoint.ts).
 */

import { join } from 'node:path'
import { type Steps, settled } from '../base/drive.js'
import { AnnealError, describe, phrase } from '../base/errors.js'
import { type Check, isCount, isData } from '../base/form.js'
import { atomicWrite } from '../io/atomic_write.js'
import type { Disk } from '../io/disk.js'
import { type Source, withFile } from '../io/source.js'
import { decodeCheckpoint, encodeCheckpoint } from '../models/checkpoint.js'
import type { StateDict } from '../nn/index.js'
import type { OptimizerStateDict } from '../optim/state_dict.js'
import { type Figure, type History, isFigure } from './history.js'
import { Rates, type RatesState } from './rates.js'
import { isHistory, isRates } from './run_form.js'
import { type Configuration, isConfiguration } from './run_state.js'

/** A run as its file holds it. */
export interface SavedRun {
  /** Its place among the runs of the sweep. */
  readonly index: number
  /** What must be equal in all runs of the sweep; `grid` among it. */
  readonly sweep: Configuration
  /** What this run trained, and by what. */
  readonly run: Configuration
  readonly rankedBy: Figure
  readonly history: History
  readonly model: StateDict
  readonly optimizer: OptimizerStateDict
}

const NAME = /^run-(\d{6,})\.safetensors$/

/** The file of a run. */
export const fileOf = (dir: string, index: number) => join(dir, `run-${String(index).padStart(6, '0')}.safetensors`)

/** The indices of the runs that have a file, in order. */
export function* listRuns(disk: Disk, dir: string): Steps<number[]> {
  const names = yield* settled(disk.list(dir))
  return names.flatMap(name => NAME.exec(name)?.slice(1).map(Number) ?? []).sort((a, b) => a - b)
}

/** The bytes of a run's file; parts share the tensors' memory. */
export function encodeRun({ history, ...run }: SavedRun): Uint8Array[] {
  const { lr, ...curves } = history
  const rates = new Rates()
  for (const rate of lr) rates.note(rate)
  return encodeCheckpoint({ ...run, history: curves, rates: rates.stateDict() })
}

/** Writes a run's file; its tensors are read before this returns to the event loop. */
export function* writeRun(disk: Disk, dir: string, run: SavedRun): Steps<void> {
  yield* atomicWrite(disk, fileOf(dir, run.index), encodeRun(run))
}

const form: Readonly<Record<keyof SavedRun | 'rates', Check>> = {
  index: isCount,
  sweep: isConfiguration,
  run: isConfiguration,
  rankedBy: isFigure,
  history: isHistory,
  rates: isRates,
  model: isData,
  optimizer: isData,
}

/** The run in a file. Throws ERR_FILE_FORMAT where it is damaged or of another kind, and what the disk throws. */
export function* readRun(disk: Disk, dir: string, index: number): Steps<SavedRun> {
  const run = yield* withFile(disk, fileOf(dir, index), decodeRun)
  if (run.index === index) return run
  throw new AnnealError('ERR_FILE_FORMAT', phrase(fileOf(dir, index), `run ${index} of a sweep`, `run ${run.index}`))
}

/** The run that `encodeRun` gave the bytes of. */
export function* decodeRun(source: Source): Steps<SavedRun> {
  const state = yield* decodeCheckpoint(source)
  const odd = Object.entries(form).find(([name, check]) => !check(state[name]))?.[0]
  if (odd !== undefined)
    throw new AnnealError('ERR_FILE_FORMAT', phrase(source.name, `${odd} of a run of a sweep`, describe(state[odd])))
  const { rates: saved, ...run } = state as unknown as SavedRun & { rates: RatesState }
  const rates = new Rates()
  rates.loadStateDict(saved)
  return { ...run, history: { ...run.history, lr: rates.toArray() } }
}
