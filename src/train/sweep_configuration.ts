/** What makes two sweeps the same, and two runs, as far as it can be told. Not here: comparing (run_state.ts). */

import { createHash } from 'node:crypto'
import { type Steps, toEventLoop } from '../base/drive.js'
import { AnnealError, phrase } from '../base/errors.js'
import { hasFields, isCount, isList, isMap, isNumber, isText } from '../base/form.js'
import { allTensors, columnsOf } from '../data/columns.js'
import type { DataLoader } from '../data/index.js'
import { type DataColumn, isNarrow } from '../data/rows.js'
import { pack, unpack } from '../models/packing.js'
import { info } from '../native/info.js'
import { checkFit } from './fit_options.js'
import { cellsOf, type Lists } from './grid.js'
import { type Configuration, taskConfiguration, trainedConfiguration } from './run_state.js'
import type { RunParams, SweepOptions } from './sweep_options.js'
import { type Built, builtRun, fitOptions } from './sweep_run.js'

/** Those without fused multiply-adds have other bits (docs/numerics.md). */
const arithmetic = () => (['sse2', 'wasm'].includes(info.isa) ? 'separate' : 'fused multiply-adds')

const LIST = 'grid.'

/** Bytes that are hashed between two turns of the event loop. */
const CHUNK = 1 << 22

/** What tells the values of a column. */
const arraysOf = (t: DataColumn): ArrayBufferView[] => (isNarrow(t) ? [t.data, Float64Array.of(t.scale)] : [t.values])

/** A hash of the values that a loader draws from; none of a stream, and of data sets that do not offer their columns. */
function* valuesOf(loader: DataLoader | undefined): Steps<string> {
  const columns = loader ? columnsOf(loader.dataset) : null
  if (columns === null) return 'none'
  const hash = createHash('sha256')
  for (const { buffer, byteOffset, byteLength } of [
    ...allTensors(columns).flatMap(arraysOf),
    ...(columns.indices ? [columns.indices] : []),
  ]) {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength)
    for (let at = 0; at < bytes.length; at += CHUNK) {
      hash.update(bytes.subarray(at, at + CHUNK))
      yield toEventLoop
    }
  }
  return hash.digest('hex')
}

/** All that decides what a sweep computes: its grid, options and data; functions by their presence, streams by their length. */
function* sweepConfiguration<P extends object>(options: SweepOptions<P>, lists: Lists): Steps<Configuration> {
  const cells = Object.entries(cellsOf(lists)).map(([name, values]) => [`${LIST}${name}`, pack(values).text])
  return {
    version: info.version,
    arithmetic: arithmetic(),
    grid: JSON.stringify(Object.keys(lists)),
    ...Object.fromEntries(cells),
    ...taskConfiguration(options),
    'train.values': yield* valuesOf(options.train),
    'test.values': yield* valuesOf(options.test),
    epochs: String(options.epochs),
    monitor: String(options.monitor),
    makeScheduler: options.makeScheduler ? 'given' : 'none',
    makeCallbacks: options.makeCallbacks ? 'given' : 'none',
  }
}

const isCells = isList(value => isNumber(value) || isText(value))

/** The same of options that `fit` takes for the first run; throws what it throws. */
export function* checkedConfiguration<P extends object>(
  options: SweepOptions<P>,
  lists: Lists,
  [first]: readonly RunParams<P>[],
): Steps<Configuration> {
  const built = yield* builtRun(options, first)
  checkFit(built.model, fitOptions(options, first, built))
  return yield* sweepConfiguration(options, lists)
}

/** The grid in a sweep's configuration, its values as tables show them. Throws ERR_FILE_FORMAT where there is none. */
export function listsIn(owner: string, configuration: Configuration): Lists {
  const valuesOf = (name: string) => unpack({ text: configuration[`${LIST}${name}`], tensors: {} })
  try {
    const names = JSON.parse(configuration.grid) as string[]
    const lists = Object.fromEntries(names.map(name => [name, valuesOf(name)]))
    if (hasFields({ seed: isList(isCount) })(lists) && isMap(isCells)(lists)) return lists as Lists
  } catch {} // no JSON, or another
  throw new AnnealError('ERR_FILE_FORMAT', phrase(owner, 'the grid of a sweep', configuration.grid))
}

/** What a run trains before its first update: names, shapes, classes, rates and other options. */
export function builtConfiguration({ model, optimizer, scheduler }: Built): Configuration {
  return {
    ...trainedConfiguration(model, { optimizer, scheduler }),
    'optimizer options': JSON.stringify(optimizer.stateDict().param_groups),
    'scheduler options': JSON.stringify(scheduler?.stateDict() ?? null),
  }
}
