/** Domains and ticks of a chart's axes, computed here so that labels never crowd. No drawing. */

import { fontSize } from './style.js'
import { formatNumber, textWidth } from './text.js'

export type ScaleType = 'linear' | 'log'

export interface Axis {
  type: ScaleType
  domain: [number, number]
  ticks: number[]
  /** One text per tick. */
  labels: string[]
}

/** The step of 1, 2 or 5 times a power of ten that cuts `span` into about `count` parts. */
function niceStep(span: number, count: number): number {
  const raw = span / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const mantissa = raw / power
  // The limits are geometric means: each factor is used where it is the nearest on a logarithmic scale.
  const factor = mantissa >= Math.sqrt(50) ? 10 : mantissa >= Math.sqrt(10) ? 5 : mantissa >= Math.SQRT2 ? 2 : 1
  return factor * power
}

function linearTicks(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + 1)
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(Math.min(digits, 100))))
}

/** All labels of a linear axis show the same number of decimals. */
function linearLabels(ticks: number[]): string[] {
  const texts = ticks.map(formatNumber)
  if (texts.some(text => text.includes('e'))) return texts
  const decimals = Math.max(...texts.map(text => text.split('.')[1]?.length ?? 0))
  return ticks.map(tick =>
    tick.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
  )
}

interface Fit {
  /** About how many ticks. */
  count: number
  /** End at the data instead of at ticks. */
  tight?: boolean
  /** Ticks at whole numbers only. */
  whole?: boolean
}

/** A linear axis over the data; from zero where the data come close to it, so that heights compare. */
function linearAxis(low: number, high: number, options: Fit): Axis {
  const [from, to] = low === high ? [low - (Math.abs(low) / 2 || 1), high + (Math.abs(high) / 2 || 1)] : [low, high]
  const start = !options.tight && from > 0 && from < to / 4 ? 0 : from
  const step = Math.max(niceStep(to - start, options.count), options.whole ? 1 : 0)
  const domain: [number, number] = options.tight
    ? [start, to]
    : [Math.floor(start / step + 1e-9) * step, Math.ceil(to / step - 1e-9) * step]
  const ticks = linearTicks(domain[0], domain[1], step)
  return { type: 'linear', domain, ticks, labels: linearLabels(ticks) }
}

/** Ticks at 1, 2 and 5 times every power of ten where there is room for them, at powers of ten elsewhere. */
function logTicks(low: number, high: number, count: number): number[] {
  const decades = Math.log10(high / low)
  const factors = decades * 3 <= count * 1.5 ? [1, 2, 5] : [1]
  const every = factors.length > 1 ? 1 : Math.max(1, Math.ceil(decades / count))
  return powers(low, high, factors).filter(tick => every === 1 || Math.round(Math.log10(tick)) % every === 0)
}

/** `factors` times powers of ten within the range, rounding errors aside. */
function powers(low: number, high: number, factors: readonly number[]): number[] {
  const found: number[] = []
  for (let exponent = Math.floor(Math.log10(low)) - 1; exponent <= Math.log10(high) + 1; exponent++) {
    for (const factor of factors) found.push(Number(`${factor}e${exponent}`))
  }
  return found.filter(value => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
}

/** A logarithmic axis over positive data, ending at 1, 2 or 5 times a power of ten. */
function logAxis(low: number, high: number, options: Fit): Axis {
  const [from, to] = low === high ? [low / 2, high * 2] : [low, high]
  const below = powers(from / 10, from, [1, 2, 5]).at(-1) ?? from
  const above = powers(to, to * 10, [1, 2, 5])[0] ?? to
  const domain: [number, number] = options.tight ? [from, to] : [below, above]
  const found = logTicks(domain[0], domain[1], options.count)
  // A range cut out between two such numbers holds none of them.
  const ticks = found.length > 1 ? found : linearTicks(...domain, niceStep(domain[1] - domain[0], options.count))
  return { type: 'log', domain, ticks, labels: ticks.map(formatNumber) }
}

/** An axis over the values, with as many ticks as `length` pixels hold. */
export function scaleAxis(
  type: ScaleType,
  values: readonly number[],
  options: Omit<Fit, 'count'> & { length: number; along: 'x' | 'y' },
): Axis {
  const low = values.reduce((a, b) => Math.min(a, b))
  const high = values.reduce((a, b) => Math.max(a, b))
  const make = type === 'log' ? logAxis : linearAxis
  let count = Math.max(2, Math.round(options.length / (options.along === 'x' ? 70 : 45)))
  while (true) {
    const axis = make(low, high, { ...options, count })
    const taken = axis.labels.reduce((sum, label) => sum + textWidth(label, fontSize.tick) + 16, 0)
    if (options.along === 'y' || count <= 2 || taken <= options.length) return axis
    count--
  }
}
