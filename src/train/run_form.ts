/**
 * Whether data that was read from a checkpoint has the form of a run's state, before any of it is used. Not here: whether
 * it is of the same run, and what model, optimizer and schedule check for themselves (run_state.ts).
 */

import { AnnealError, describe, phrase } from '../base/errors.js'
import {
  anything,
  type Check,
  hasFields,
  isBoolean,
  isBytes,
  isCount,
  isData,
  isList,
  isMap,
  isNumber,
  isOptional,
  isText,
  orNull,
} from '../base/form.js'
import { isPlainObject } from '../base/kinds.js'
import { type ColumnType, columnTypes } from '../data/column.js'
import type { Model } from '../engine/options.js'
import type { FitOptions } from './fit_options.js'
import { type RunState, streamsOf } from './run_state.js'

/** As `History` of any run, but for the rates: all curves are of one length. */
export const isHistory: Check = value => {
  const curve = isList(isNumber, (value as { trainLoss?: unknown[] } | null)?.trainLoss?.length)
  const curves = {
    trainLoss: curve,
    testLoss: isOptional(curve),
    trainAcc: isOptional(curve),
    testAcc: isOptional(curve),
  }
  const metrics = isOptional(isMap(hasFields({ train: curve, test: isOptional(curve) })))
  return hasFields({ ...curves, metrics, engine: isText, engineReason: isOptional(isText) })(value)
}

/** The same of a run of these options: with the curves that it has, and no others. */
function isHistoryOf({ test, loss, metrics }: FitOptions): Check {
  const isThere = (wanted: unknown): Check => (wanted ? value => value !== undefined : value => value === undefined)
  const has = hasFields({
    testLoss: isThere(test),
    trainAcc: isThere(loss.classifies),
    testAcc: isThere(test && loss.classifies),
    metrics: metrics ? isMap(hasFields({ test: isThere(test) })) : isThere(false),
  })
  return value => isHistory(value) && has(value)
}

/** As `Rates` keeps them: `widths` says how many of the values are each stretch's. */
export const isRates: Check = value => {
  if (!isPlainObject(value)) return false
  const { ends, widths, values } = value
  const lists = [ends, widths, values]
  if (!lists.every(list => list instanceof Float64Array)) return false
  const [stretches, counts, rates] = lists as Float64Array[]
  const rising = stretches.every((end, i) => isCount(end) && (i === 0 || end > stretches[i - 1]))
  const total = counts.reduce((sum, width) => sum + Math.max(1, width), 0)
  return rising && counts.length === stretches.length && counts.every(isCount) && total === rates.length
}

/** As `StreamOffset`. */
const isOffset = hasFields({
  part: isCount,
  row: isCount,
  offset: hasFields({
    file: isCount,
    text: isOptional(
      hasFields({
        byte: isCount,
        lines: isCount,
        delimiter: isText,
        names: isList(isText),
        types: isList(type => columnTypes.includes(type as ColumnType)),
      }),
    ),
  }),
})

/** A place within a pass over the loader. */
function isPlace({ train }: FitOptions): Check {
  const isSums = hasFields({ loss: isNumber, weightless: isCount, rows: isCount, correct: isCount, batches: isCount })
  return value =>
    hasFields({ streams: isList(isBytes, train.streams.length), sums: isSums, offset: isOptional(isOffset) })(value) &&
    (value as NonNullable<RunState['place']>).sums.batches < train.length
}

/** Whether every state is of a callback that keeps one. */
function haveTakers(states: readonly unknown[], { callbacks = [] }: FitOptions): boolean {
  return states.every((state, i) => state === null || callbacks[i]?.stateDict)
}

function formOf(model: Model, options: FitOptions): Record<keyof RunState, Check> {
  return {
    configuration: isData,
    model: isData,
    modes: isList(isBoolean, model.modules().length),
    trained: isList(isBoolean, model.parameters().length),
    optimizer: isData,
    scheduler: orNull(isData),
    streams: isList(isBytes, streamsOf(options).length),
    place: orNull(isPlace(options)),
    history: isHistoryOf(options),
    rates: isRates,
    callbacks: value => isList(anything)(value) && haveTakers(value as unknown[], options),
    stopped: isBoolean,
    best: isList(orNull(isNumber)),
  }
}

/** What was read, as the state of a run like this one. Throws ERR_FILE_FORMAT where it is none. */
export function asRunState(dir: string, model: Model, options: FitOptions, state: Record<string, unknown>): RunState {
  const odd = Object.entries(formOf(model, options)).find(([name, check]) => !check(state[name]))?.[0]
  if (odd === undefined) return state as unknown as RunState
  const received = describe(state[odd])
  throw new AnnealError('ERR_FILE_FORMAT', phrase(dir, `${odd} of a run in the newest checkpoint`, received))
}
