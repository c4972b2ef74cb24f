/** ColumnTransformer: a transformer for each group of columns. Not here: one after the other (pipeline.ts). */

import { checkBoolean, checkOptions } from '../base/check.js'
import { AnnealError, describe, phrase, rangeError, shapeError, typeError } from '../base/errors.js'
import type { OnnxGraph, OnnxName } from '../ops/onnx.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Features, type Frame, frameOf, numericFrame, selectColumns, tensorOf } from './frame.js'
import { onnxJoin, onnxSelect } from './onnx_columns.js'
import { type OnnxColumns, Transformer } from './transformer.js'

/** Which columns: a name or a number, several, one boolean per column, or a function of the names (of a table) that gives any of these. */
export type Columns = string | number | readonly string[] | readonly number[] | readonly boolean[]
/** Columns by name or position, or a function that chooses among the names. */
export type ColumnSelector = Columns | ((names: readonly string[]) => Columns)
/** What is done with columns. */
export type ColumnStep = Transformer | 'drop' | 'passthrough'
/** Columns that one transformer gets, under a name. */
export type ColumnGroup = readonly [name: string, transformer: ColumnStep, columns: ColumnSelector]

/** Options of `ColumnTransformer`. */
export interface ColumnTransformerOptions {
  /** What is done with all other columns; they come last. Default 'drop'. */
  remainder?: ColumnStep
  /** Whether names of new columns begin with the group's: `num__age`. Default true. */
  verboseFeatureNamesOut?: boolean
}

/** A group with the columns it was fitted to. */
interface Fitted {
  readonly name: string
  readonly transformer: ColumnStep
  readonly columns: Int32Array
}

type Options = Required<ColumnTransformerOptions> & { transformers: readonly ColumnGroup[] }

/**
 * A transformer for each group of columns; the results stand side by side, or apart: `transformTensors`.
 *
 * It fits copies, `namedTransformers` are those. Of a table, columns go by their names also in `transform`. Throws
 * RangeError for a name that repeats or a column that is not there. Source: sklearn.compose.ColumnTransformer.
 *
 * ```ts
 * const prepare = new preprocessing.ColumnTransformer([
 *   ['numbers', new preprocessing.StandardScaler(), ['age', 'income']],
 *   ['codes', new preprocessing.OrdinalEncoder({ dtype: 'int32' }), ['city', 'job']],
 * ])
 * const [numbers, codes] = prepare.fit(table).transformTensors(table) // float32 [n, 2], int32 [n, 2]
 * ```
 */
export class ColumnTransformer extends Transformer<Options> {
  #fitted: readonly Fitted[] | null = null

  constructor(transformers: readonly ColumnGroup[], options: ColumnTransformerOptions = {}) {
    super('ColumnTransformer', checkGroups(transformers, options), {})
  }

  /** The fitted transformers by the names of their groups. */
  get namedTransformers(): Record<string, ColumnStep> {
    return Object.fromEntries(this.#groups('namedTransformers').map(({ name, transformer }) => [name, transformer]))
  }

  /** @internal */
  fitFrame(frame: Frame): void {
    const { transformers, remainder } = this.options
    const groups = transformers.map(([name, step, columns]) => ({ name, step, columns: resolve(frame, name, columns) }))
    const used = new Set(groups.flatMap(({ columns }) => [...columns]))
    const rest = Int32Array.from(frame.columns.keys()).filter(c => !used.has(c))
    this.#fitted = [...groups, { name: 'remainder', step: remainder, columns: rest }]
      .filter(({ columns, step }) => columns.length > 0 && step !== 'drop')
      .map(({ name, step, columns }) => {
        const transformer = typeof step === 'string' ? step : step.clone()
        if (typeof transformer !== 'string') transformer.learn(selectColumns(frame, columns))
        return { name, transformer, columns }
      })
  }

  /** @internal The columns of `fit`: of a table by their names, in any order and beside others. */
  override checkFeatures(frame: Frame): Frame {
    const { featureNamesIn } = this
    if (!featureNamesIn || !frame.names) return super.checkFeatures(frame)
    const used = new Set(this.#fitted!.flatMap(({ columns }) => [...columns]))
    const at = featureNamesIn.map((name, c) => {
      const index = frame.names!.indexOf(name)
      if (index < 0 && used.has(c)) throw shapeError(this.name, `column '${name}' as in fit`, describe(frame.names))
      return Math.max(index, 0)
    })
    return selectColumns(frame, at)
  }

  /** @internal */
  transformFrame(frame: Frame): Frame {
    const columns = this.#parts(frame).flatMap(part => part.columns)
    return { rows: frame.rows, names: null, columns, contiguous: columns.length === 1 }
  }

  /** @internal */
  onnxColumns(graph: OnnxGraph, x: OnnxName): OnnxColumns {
    const parts = this.#groups('onnxColumns').map(({ transformer, columns }): OnnxColumns => {
      const values = onnxSelect(graph, x, columns)
      const passes = { values, width: columns.length, codes: false }
      return typeof transformer === 'string' ? passes : transformer.onnxColumns(graph, values)
    })
    return onnxJoin(graph, parts)
  }

  /** X transformed, a tensor for each group that is not dropped: int32 of codes, else float32. */
  transformTensors(X: Features): Tensor[] {
    const frame = frameOf(this.name, X)
    this.checkFitted('transformTensors')
    return this.#parts(this.checkFeatures(frame)).map(part => tensorOf(this.name, part))
  }

  getFeatureNamesOut(inputFeatures?: readonly string[]): string[] {
    const names = this.inputNames(inputFeatures)
    return this.#groups('getFeatureNamesOut').flatMap(({ name, transformer, columns }) => {
      const own = Array.from(columns, c => names[c])
      const out = typeof transformer === 'string' ? own : transformer.getFeatureNamesOut(own)
      return this.options.verboseFeatureNamesOut ? out.map(text => `${name}__${text}`) : out
    })
  }

  #groups(method: string): readonly Fitted[] {
    this.checkFitted(method)
    return this.#fitted!
  }

  #parts(frame: Frame): Frame[] {
    return this.#fitted!.map(({ transformer, columns }) => {
      const part = selectColumns(frame, columns)
      return typeof transformer === 'string' ? numericFrame(this.name, part) : transformer.apply(part)
    })
  }

  /** @internal */
  override clone(): this {
    return new ColumnTransformer(this.options.transformers, this.options) as this
  }

  /** @internal */
  override learnedState(): object {
    return { ...super.learnedState(), groups: this.#fitted }
  }

  /** @internal */
  override restore(state: Record<string, unknown>): void {
    super.restore(state)
    const groups = state.groups as Fitted[]
    const fits = ({ name, transformer, columns }: Fitted) =>
      typeof name === 'string' &&
      (transformer === 'passthrough' || transformer instanceof Transformer) &&
      columns instanceof Int32Array &&
      columns.every(c => c >= 0 && c < this.nFeaturesIn!)
    if (!Array.isArray(groups) || !groups.every(group => fits(group ?? {})))
      throw new AnnealError('ERR_STATE', phrase(this.name, 'groups as toJSON gives them', groups))
    this.#fitted = groups
  }
}

const isStep = (value: unknown) => value instanceof Transformer || value === 'drop' || value === 'passthrough'

function checkGroups(transformers: readonly ColumnGroup[], options: ColumnTransformerOptions): Options {
  const where = 'ColumnTransformer'
  if (!Array.isArray(transformers)) throw typeError(where, 'an array of [name, transformer, columns]', transformers)
  // Its own options name its groups too, so that they can be given back to it.
  checkOptions(where, options, ['transformers', 'remainder', 'verboseFeatureNamesOut'])
  const { remainder = 'drop', verboseFeatureNamesOut = true } = options
  transformers.forEach((group, i) => {
    if (!Array.isArray(group) || group.length !== 3)
      throw typeError(where, `transformers[${i}] to be [name, transformer, columns]`, group)
    if (typeof group[0] !== 'string') throw typeError(where, `the name of transformers[${i}] to be text`, group[0])
    if (!isStep(group[1]))
      throw typeError(where, `'${group[0]}' to be a transformer, 'drop' or 'passthrough'`, group[1])
    const before = transformers.slice(0, i).some(([name]) => name === group[0])
    if (before || group[0].includes('__')) throw rangeError(where, 'each name once and without __', group[0])
  })
  if (!isStep(remainder)) throw typeError(where, "remainder to be a transformer, 'drop' or 'passthrough'", remainder)
  checkBoolean(where, 'verboseFeatureNamesOut', verboseFeatureNamesOut)
  return { transformers: [...transformers], remainder, verboseFeatureNamesOut }
}

/** The numbers of the columns that a selector means. */
function resolve(frame: Frame, group: string, selector: ColumnSelector): Int32Array {
  const where = 'ColumnTransformer'
  const n = frame.columns.length
  const chosen = typeof selector === 'function' ? selector(frame.names ?? []) : selector
  const list: readonly unknown[] = Array.isArray(chosen) ? chosen : [chosen]
  if (list.length > 0 && list.every(entry => typeof entry === 'boolean')) {
    if (list.length !== n) throw shapeError(where, `${n} booleans for '${group}'`, `${list.length}`)
    return Int32Array.from(frame.columns.keys()).filter(c => list[c])
  }
  return Int32Array.from(list, entry => {
    if (typeof entry === 'string' && !frame.names)
      throw typeError(where, `X to be a table to choose columns of '${group}' by name`, entry)
    if (typeof entry !== 'string' && typeof entry !== 'number')
      throw typeError(where, `columns of '${group}' by name or number`, entry)
    const c = typeof entry === 'string' ? frame.names!.indexOf(entry) : entry < 0 ? entry + n : entry
    if (Number.isInteger(c) && c >= 0 && c < n) return c
    const known = typeof entry === 'string' ? frame.names!.join(', ') : `0 to ${n - 1}`
    throw rangeError(where, `columns of '${group}' to be among ${known}`, entry)
  })
}
