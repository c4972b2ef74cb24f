/**
 * Transformer: what all of them share: reading X, remembering its columns, results as tensors, JSON. Not here: what any
 * of them learns.
 */

import { AnnealError, phrase, shapeError, typeError } from '../base/errors.js'
import type { Cell } from '../data/labels.js'
import type { OnnxGraph, OnnxName } from '../ops/onnx.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Features, type Frame, frameOf, numericFrame, rowsOfFrame, tensorOf } from './frame.js'
import { toPlain } from './plain.js'

/** What `toJSON` gives: plain data for JSON.stringify. */
export interface TransformerJSON {
  /** The class. */
  transformer: string
  /** What it was made with. */
  options: object
  /** What was learned, or null before `fit`. */
  state: object | null
}

const isArrayOf = (value: unknown, n: number) =>
  (Array.isArray(value) || value instanceof Float64Array || value instanceof Int32Array) && value.length === n

const isNumbers = (value: unknown, n: number) => value === null || (value instanceof Float64Array && value.length === n)

/** Kinds of learned values: whether a value that was read is one, for n columns. */
const KINDS = {
  /** A number per column. */
  numbers: isNumbers,
  /** One number, or one per column. */
  counts: (value: unknown, n: number) => typeof value === 'number' || isNumbers(value, n),
  /** A value per column. */
  cells: (value: unknown, n: number) => value === null || isArrayOf(value, n),
  /** Several values per column, or null. */
  lists: (value: unknown, n: number) =>
    value === null ||
    (Array.isArray(value) && value.length === n && value.every(v => v === null || isArrayOf(v, v.length))),
  /** Columns by number. */
  indices: (value: unknown, n: number) =>
    value === null || (value instanceof Int32Array && value.every(c => c >= 0 && c < n)),
}

export type Learned = Readonly<Record<string, keyof typeof KINDS>>

/** Columns in a graph of ONNX, as one value [batch, width] of float64. */
export interface OnnxColumns {
  readonly values: OnnxName
  readonly width: number
  /** Whether all of them are codes, which make an int32 tensor. */
  readonly codes: boolean
}

/** Base of all transformers: learns from a table in `fit`, changes tables in `transform`. Source: sklearn.base.TransformerMixin. */
export abstract class Transformer<Options extends object = object> {
  /** Columns of the X it was fitted to; null before. */
  nFeaturesIn: number | null = null
  /** Their names, of a table. */
  featureNamesIn: readonly string[] | null = null

  /** @internal `name` is the class's, `learned` the fields that `fit` sets. */
  constructor(
    readonly name: string,
    readonly options: Readonly<Options>,
    private readonly learned: Learned,
  ) {}

  /** @internal Learns from columns. */
  abstract fitFrame(frame: Frame): void
  /** @internal The columns that come of others. */
  abstract transformFrame(frame: Frame): Frame
  /** @internal `transformFrame` in ONNX, of columns of numbers. Throws NoOnnxForm, or ERR_STATE before `fit`. */
  abstract onnxColumns(graph: OnnxGraph, x: OnnxName): OnnxColumns
  /** The names of the columns that `transform` gives, made from those of X (default: those of `fit`, or x0, x1, …). */
  abstract getFeatureNamesOut(inputFeatures?: readonly string[]): string[]

  /** Learns from X: [rows, columns]. Returns itself. */
  fit(X: Features): this {
    this.learn(frameOf(this.name, X))
    return this
  }

  /** X transformed: [rows, …]. Throws ERR_STATE before `fit`, ERR_SHAPE for other columns than `fit` saw. */
  transform(X: Features): Tensor {
    return tensorOf(this.name, this.apply(frameOf(this.name, X)))
  }

  /** `fit(X).transform(X)`. */
  fitTransform(X: Features): Tensor {
    const frame = frameOf(this.name, X)
    this.learn(frame)
    return tensorOf(this.name, this.apply(frame))
  }

  /** @internal `fit` on columns. */
  learn(frame: Frame): void {
    this.fitFrame(frame)
    this.nFeaturesIn = frame.columns.length
    this.featureNamesIn = frame.names
  }

  /** @internal `transform` on columns. */
  apply(frame: Frame): Frame {
    this.checkFitted('transform')
    return this.transformFrame(this.checkFeatures(frame))
  }

  /** @internal The number of columns it was fitted to. Throws ERR_STATE before `fit`. */
  checkFitted(method: string): number {
    if (this.nFeaturesIn !== null) return this.nFeaturesIn
    throw new AnnealError('ERR_STATE', phrase(`${this.name}.${method}`, 'fit to be called first', 'no fit'))
  }

  /** @internal The columns that `fit` saw, of `frame`. */
  checkFeatures(frame: Frame): Frame {
    const { nFeaturesIn, featureNamesIn, name } = this
    if (frame.columns.length !== nFeaturesIn)
      throw shapeError(name, `${nFeaturesIn} columns as in fit`, `${frame.columns.length}`)
    const odd = featureNamesIn && frame.names ? featureNamesIn.findIndex((text, c) => text !== frame.names![c]) : -1
    if (odd >= 0)
      throw shapeError(name, `column ${odd} to be '${featureNamesIn![odd]}' as in fit`, `'${frame.names![odd]}'`)
    return frame
  }

  /** @internal The names of the columns of X. */
  inputNames(inputFeatures?: readonly string[]): readonly string[] {
    const n = this.checkFitted('getFeatureNamesOut')
    if (inputFeatures === undefined) return this.featureNamesIn ?? Array.from({ length: n }, (_, c) => `x${c}`)
    if (inputFeatures.length !== n) throw shapeError(this.name, `${n} names`, `${inputFeatures.length}`)
    return inputFeatures
  }

  /** @internal A new one with the same options, that has learned nothing. */
  clone(): this {
    return new (this.constructor as new (options: object) => this)(this.options)
  }

  /** Options and what was learned as plain data: `JSON.stringify(scaler)`. Throws ERR_STATE for options that are functions. */
  toJSON(): TransformerJSON {
    const { name, options } = this
    const state = this.nFeaturesIn === null ? null : this.learnedState()
    return {
      transformer: name,
      options: toPlain(name, options) as object,
      state: toPlain(name, state) as object | null,
    }
  }

  /** @internal What `restore` takes. */
  learnedState(): object {
    return Object.fromEntries(this.#fields.map(field => [field, this[field as keyof this]]))
  }

  get #fields(): string[] {
    return ['nFeaturesIn', 'featureNamesIn', ...Object.keys(this.learned)]
  }

  /** @internal Takes over what another of its class had learned. Throws ERR_STATE for what does not fit. */
  restore(state: Record<string, unknown>): void {
    const { nFeaturesIn: n, featureNamesIn: names } = state as Partial<Transformer>
    const counted = Number.isSafeInteger(n) && n! > 0 && (names === null || isArrayOf(names, n!))
    const odd = counted
      ? Object.entries(this.learned).find(([field, kind]) => !KINDS[kind](state[field], n!))?.[0]
      : 'nFeaturesIn'
    if (odd) throw new AnnealError('ERR_STATE', phrase(this.name, `${odd} as toJSON gives it`, state[odd]))
    Object.assign(this, Object.fromEntries(this.#fields.map(field => [field, state[field]])))
  }
}

/** A transformer whose result can be turned back. */
export abstract class Invertible<Options extends object = object> extends Transformer<Options> {
  /** @internal The columns that `transformFrame` would give these of. */
  abstract inverseFrame(frame: Frame): Frame

  /** @internal `inverseTransform` on columns. */
  revert(frame: Frame): Frame {
    this.checkFitted('inverseTransform')
    return { ...this.inverseFrame(frame), names: this.featureNamesIn }
  }
}

/** One that maps each column of numbers to one of numbers. */
export abstract class Scaler<Options extends object = object> extends Invertible<Options> {
  /** @internal A value of column `c`, scaled. */
  abstract forwardOf(c: number): (x: number) => number
  /** @internal A scaled value of column `c`, as it was. */
  abstract inverseOf(c: number): (x: number) => number

  getFeatureNamesOut(inputFeatures?: readonly string[]): string[] {
    return [...this.inputNames(inputFeatures)]
  }

  /** What `transform` gave X of: [rows, columns]. */
  inverseTransform(X: Features): Tensor {
    return tensorOf(this.name, this.revert(frameOf(this.name, X)))
  }

  /** @internal `forwardOf` of all columns in ONNX. */
  abstract onnxScaled(graph: OnnxGraph, x: OnnxName): OnnxName

  /** @internal */
  transformFrame(frame: Frame): Frame {
    const numeric = numericFrame(this.name, frame)
    return { ...numeric, columns: numeric.columns.map((values, c) => values.map(this.forwardOf(c))) }
  }

  /** @internal */
  onnxColumns(graph: OnnxGraph, x: OnnxName): OnnxColumns {
    return { values: this.onnxScaled(graph, x), width: this.checkFitted('onnxColumns'), codes: false }
  }

  /** @internal */
  inverseFrame(frame: Frame): Frame {
    const numeric = numericFrame(this.name, this.checkFeatures(frame))
    return { ...numeric, columns: numeric.columns.map((values, c) => values.map(this.inverseOf(c))) }
  }
}

/** One whose columns are categories before. */
export abstract class Encoder<Options extends object = object> extends Invertible<Options> {
  /** The rows that `transform` gave X of, as nested arrays; null for what is unknown or missing. */
  inverseTransform(X: Features): Cell[][] {
    return rowsOfFrame(this.revert(frameOf(this.name, X)))
  }
}

/** Whether `value` is a transformer, else TypeError. */
export function checkTransformer(where: string, name: string, value: unknown): Transformer {
  if (!(value instanceof Transformer)) throw typeError(where, `${name} to be a transformer`, value)
  return value
}
