/**
 * Whether data that was read from a checkpoint has the form of a run's state, before any of it is used. Not here: whether
 * it is of the same run, and what model, optimizer and schedule check for themselves (run_state.ts).
 */

import { AnnealError, describe, phrase } from '../base/errors.js'
import { isPlainObject } from '../base/kinds.js'
import { type ColumnType, columnTypes } from '../data/column.js'
import type { Model } from '../engine/options.js'
import type { FitOptions } from './fit_options.js'
import { type RunState, streamsOf } from './run_state.js'

type Check = (value: unknown) => boolean

const isNumber: Check = value => typeof value === 'number'
const isText: Check = value => typeof value === 'string'
const isBoolean: Check = value => typeof value === 'boolean'
const isBytes: Check = value => value instanceof Uint8Array
const isCount: Check = value => Number.isSafeInteger(value) && (value as number) >= 0
const isData: Check = value => isPlainObject(value)
const anything: Check = () => true

const orNull =
  (check: Check): Check =>
  value =>
    value === null || check(value)

/** Lists of one kind, of `length` where it is given. */
const isList =
  (check: Check, length?: number): Check =>
  value =>
    Array.isArray(value) && (length === undefined || value.length === length) && value.every(check)

/** Objects whose fields are of one kind. */
const isMap =
  (check: Check): Check =>
  value =>
    isPlainObject(value) && Object.values(value).every(check)

/** Objects with these fields at least. */
const hasFields =
  (checks: Readonly<Record<string, Check>>): Check =>
  value =>
    isPlainObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]))

/** As `History` of a run of these options, but for the rates; all curves are of one length. */
function isHistory({ test, loss, metrics }: FitOptions): Check {
  const curvesAre = (length: number): Check => {
    const curve = isList(isNumber, length)
    const absent: Check = value => value === undefined
    const either = (there: unknown) => (there ? curve : absent)
    return hasFields({
      trainLoss: curve,
      testLoss: either(test),
      trainAcc: either(loss.classifies),
      testAcc: either(test && loss.classifies),
      metrics: metrics ? isMap(hasFields({ train: curve, test: either(test) })) : absent,
      engine: isText,
    })
  }
  return value => isPlainObject(value) && Array.isArray(value.trainLoss) && curvesAre(value.trainLoss.length)(value)
}

/** As `Rates` keeps them: `widths` says how many of the values are each stretch's. */
const isRates: Check = value => {
  const { ends, widths, values } = value as Record<string, unknown>
  const lists = [ends, widths, values]
  if (!lists.every(list => list instanceof Float64Array)) return false
  const [stretches, counts, rates] = lists as Float64Array[]
  const rising = stretches.every((end, i) => isCount(end) && (i === 0 || end > stretches[i - 1]))
  const total = counts.reduce((sum, width) => sum + Math.max(1, width), 0)
  return rising && counts.length === stretches.length && counts.every(isCount) && total === rates.length
}

const isOptional =
  (check: Check): Check =>
  value =>
    value === undefined || check(value)

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
    history: isHistory(options),
    rates: value => isPlainObject(value) && isRates(value),
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
