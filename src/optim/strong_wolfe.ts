/**
 * A line search that ends where the strong Wolfe conditions hold: the loss has fallen enough, and the slope is flat
 * enough. PyTorch's, step by step. Not here: the direction (lbfgs_memory.ts).
 */

import type { Floats } from '../emitters/emitter.js'

/** Share of the slope's promise that the loss must keep. */
const SUFFICIENT = 1e-4
/** Share of the slope that may be left. */
const FLAT = 0.9

/** What is known `t` along the direction. */
export interface Point {
  readonly t: number
  readonly loss: number
  readonly gradient: Floats
  /** Of the loss along the direction. */
  readonly slope: number
}

export interface LineSearch {
  /** Evaluates the loss `t` along the direction. */
  readonly at: (t: number) => Point
  readonly start: Point
  /** The largest element of the direction, in size. */
  readonly size: number
  /** Brackets that move no element further than this are not searched. */
  readonly tolerance: number
  readonly maxEvaluations: number
}

interface Bracket {
  readonly ends: readonly [Point] | readonly [Point, Point]
  /** The last point evaluated, and how many were. */
  readonly evaluations: number
  readonly found: boolean
}

/** The minimum of the cubic through two points and their slopes, within bounds. */
function cubicMinimum(a: Point, b: Point, low = Math.min(a.t, b.t), high = Math.max(a.t, b.t)): number {
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t)
  const square = d1 * d1 - a.slope * b.slope
  if (!(square >= 0)) return (low + high) / 2
  const d2 = Math.sqrt(square)
  const [near, far] = a.t <= b.t ? [a, b] : [b, a]
  const t = far.t - (far.t - near.t) * ((far.slope + d2 - d1) / (far.slope - near.slope + 2 * d2))
  return Math.min(Math.max(t, low), high)
}

const falls = ({ loss, t }: Point, start: Point) => !(loss > start.loss + SUFFICIENT * t * start.slope)
const isFlat = ({ slope }: Point, start: Point) => Math.abs(slope) <= -FLAT * start.slope

/** Steps further and further until a minimum must lie between two points, or one is good enough. */
function bracket({ at, start, maxEvaluations }: LineSearch, t: number): Bracket {
  let [previous, now] = [start, at(t)]
  for (let i = 0; i < maxEvaluations; i++) {
    const evaluations = i + 1
    if (!falls(now, start) || (i > 1 && now.loss >= previous.loss))
      return { ends: [previous, now], evaluations, found: false }
    if (isFlat(now, start)) return { ends: [now], evaluations, found: true }
    if (now.slope >= 0) return { ends: [previous, now], evaluations, found: false }
    const next = cubicMinimum(previous, now, now.t + 0.01 * (now.t - previous.t), now.t * 10)
    ;[previous, now] = [now, at(next)]
  }
  return { ends: [start, now], evaluations: maxEvaluations + 1, found: true }
}

/** A point inside of a bracket, kept away from its ends where the last one made little progress. */
function inside(a: Point, b: Point, stuck: boolean): { t: number; stuck: boolean } {
  const t = cubicMinimum(a, b)
  const [least, most] = [Math.min(a.t, b.t), Math.max(a.t, b.t)]
  const margin = 0.1 * (most - least)
  if (Math.min(most - t, t - least) >= margin) return { t, stuck: false }
  if (!stuck && t < most && t > least) return { t, stuck: true }
  return { t: Math.abs(t - most) < Math.abs(t - least) ? most - margin : least + margin, stuck: false }
}

/** From step `t`: the point to go to, and how often the loss was evaluated. Source: torch.optim.lbfgs._strong_wolfe. */
export function strongWolfe(search: LineSearch, t: number): { point: Point; evaluations: number } {
  const { at, start, size, tolerance, maxEvaluations } = search
  const first = bracket(search, t)
  const ends = [first.ends[0], first.ends[first.ends.length - 1]]
  const lower = () => (ends[0].loss <= ends[1].loss ? 0 : 1)
  let [{ evaluations, found }, stuck, low] = [first, false, lower()]
  while (!found && evaluations <= maxEvaluations && !(Math.abs(ends[1].t - ends[0].t) * size < tolerance)) {
    const next = inside(ends[0], ends[1], stuck)
    stuck = next.stuck
    const now = at(next.t)
    evaluations++
    if (!falls(now, start) || now.loss >= ends[low].loss) {
      ends[1 - low] = now
      low = lower()
    } else {
      found = isFlat(now, start)
      if (!found && now.slope * (ends[1 - low].t - ends[low].t) >= 0) ends[1 - low] = ends[low]
      ends[low] = now
    }
  }
  return { point: ends[low], evaluations }
}
