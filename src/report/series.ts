/** What a caller says about a curve, checked and given its looks. No drawing: curve_marks.ts. */

import { checkBoolean, checkNumber, checkOptions } from '../base/check.js'
import { rangeError, typeError } from '../base/errors.js'
import type { ScaleType } from './axis.js'
import { runStyle, type SeriesStyle, seriesStyles } from './style.js'

/** One curve of a chart. */
export interface Series {
  /** What the legend calls the curve. */
  name: string
  /** y at x = 1, 2, 3, …; or give `points`. A value that is not finite is a gap. */
  values?: ArrayLike<number>
  /** [x, y] pairs in the order in which they are joined. */
  points?: readonly (readonly [number, number])[]
  /** Half the height of a band round the curve at each value or point, such as the standard deviation over seeds. */
  deviation?: ArrayLike<number>
  /** Hold each value until the next x instead of joining the points, as a learning rate does. */
  step?: boolean
  /** Join nothing: each point is a dot. */
  scatter?: boolean
  /** Curves of one run have its colour and marker. Default: each curve is a run of its own. */
  run?: string
  /** Dashed with hollow markers: the test figures beside the training figures of the same run. */
  dashed?: boolean
}

export interface Scales {
  x: ScaleType
  y: ScaleType
}

/** A curve that is ready to be drawn. */
export interface Curve {
  name: string
  step: boolean
  scatter: boolean
  /** What cannot be drawn is NaN. */
  points: [number, number][]
  /** One per point; empty without a band. */
  deviation: number[]
  style: SeriesStyle
}

const keys = ['name', 'values', 'points', 'deviation', 'step', 'scatter', 'run', 'dashed'] as const

/** The curves of `list`, an option of the chart `where`. */
export function readSeries(where: string, list: string, series: unknown, scales: Scales): Curve[] {
  if (!Array.isArray(series)) throw typeError(where, `${list} to be an array`, series)
  const styleOf = styler(series)
  return series.map((one: Series, i) => readCurve(where, `${list}[${i}]`, one, scales, styleOf(one, i)))
}

/** How many runs the curves belong to. */
export function countRuns(series: readonly Series[]): number {
  return new Set(series.map((one, i) => one?.run ?? i)).size
}

/** Where a run has several curves, dashes tell those apart; elsewhere every curve has dashes of its own. */
function styler(series: readonly Series[]): (one: Series, i: number) => SeriesStyle {
  const runs = [...new Set(series.map((one, i) => one?.run ?? i))]
  const paired = series.some(one => one?.dashed)
  return (one, i) => {
    const index = runs.indexOf(one?.run ?? i) % seriesStyles.length
    return paired || runs.length < series.length ? runStyle(index, one.dashed ?? false) : seriesStyles[index]
  }
}

function readCurve(where: string, path: string, one: Series, scales: Scales, style: SeriesStyle): Curve {
  checkOptions(`${where}: ${path}`, one, keys)
  for (const key of ['name', ...(one.run === undefined ? [] : ['run' as const])] as const)
    if (typeof one[key] !== 'string') throw typeError(where, `${path}.${key} to be a string`, one[key])
  for (const key of ['step', 'scatter', 'dashed'] as const) checkBoolean(where, `${path}.${key}`, one[key] ?? false)
  const pairs = one.points ?? Array.from(one.values ?? [], (value, i): [number, number] => [i + 1, value])
  if (!Array.isArray(pairs) || (one.points === undefined) === (one.values === undefined))
    throw typeError(where, `${path} to have either values or points`, one)
  const drawable = (value: number, type: ScaleType) =>
    Number.isFinite(value) && (type === 'linear' || value > 0) ? value : NaN
  return {
    name: one.name,
    step: one.step ?? false,
    scatter: one.scatter ?? false,
    points: pairs.map(([x, y]): [number, number] => [drawable(x, scales.x), drawable(y, scales.y)]),
    deviation: readDeviation(where, path, one.deviation, pairs.length),
    style,
  }
}

function readDeviation(where: string, path: string, deviation: ArrayLike<number> | undefined, length: number) {
  if (deviation === undefined) return []
  const values = Array.from(deviation)
  if (values.length !== length) throw rangeError(where, `${path}.deviation to have ${length} values`, values.length)
  return values.map((value, i) =>
    Number.isNaN(value) ? NaN : checkNumber(where, `${path}.deviation[${i}]`, value, { min: 0 }),
  )
}
