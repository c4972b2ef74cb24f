/**
 * The segments of an epoch's order: the full steps over a loader, then at most one that is shorter, each with the program
 * that is recorded for it. Not here: moving along them (cursor.ts), or what a step computes.
 */

import type { DataLoader } from '../data/index.js'
import { Unplannable } from '../emitters/unplannable.js'
import type { RecordedStep } from './record_step.js'
import type { PassColumns } from './resident.js'
import { workOf } from './work.js'

/** Steps of one kind: one program, over the rows of a loader's pass from `from` on. */
export interface Segment {
  readonly loader: DataLoader
  readonly columns: PassColumns
  /** Number of the program that the plan runs. */
  readonly program: number
  readonly recorded: RecordedStep
  readonly trains: boolean
  readonly steps: number
  readonly from: number
  /** Multiplications and additions of a step, but never nothing. */
  readonly work: number
}

/** Batch sizes of each step of an epoch that updates after every `accumulate` batches. */
function stepParts({ samples, batchSize, dropLast }: DataLoader, accumulate: number): number[][] {
  const sizes: number[] = []
  for (let at = 0; at < samples; at += batchSize) sizes.push(Math.min(batchSize, samples - at))
  if (dropLast && sizes[sizes.length - 1] < batchSize) sizes.pop()
  const steps: number[][] = []
  for (let i = 0; i < sizes.length; i += accumulate) steps.push(sizes.slice(i, i + accumulate))
  return steps
}

/** What the segments over one loader have in common. */
interface Pass {
  readonly loader: DataLoader
  readonly columns: PassColumns
  readonly trains: boolean
  readonly accumulate: number
  readonly record: (parts: readonly number[]) => RecordedStep
}

/** The segments of a pass over a loader; their programs are numbered from `program`. */
export function segmentsOf({ loader, columns, trains, accumulate, record }: Pass, program: number): Segment[] {
  const parts = stepParts(loader, accumulate)
  const full = parts.filter(sizes => sizes.join() === parts[0].join()).length
  const segment = (first: number, steps: number, from: number): Segment => {
    const recorded = record(parts[first])
    const own = { recorded, steps, from, program: program + Math.sign(first), work: workOf(recorded.calls) }
    return { loader, columns, trains, ...own }
  }
  const segments = [segment(0, full, 0)]
  if (full === parts.length) return segments
  segments.push(segment(full, 1, full * segments[0].recorded.advance.order))
  if (parts[0].length === parts[full].length) sameButForRows(segments[0].recorded, segments[1].recorded)
  return segments
}

/** Kernels of broadcasting: a batch of one row is as wide as what it meets, and needs none. */
const widening: readonly string[] = ['repeat', 'sum_axis']

/** Programs for different numbers of rows must do the same; else the model decides by what it sees. */
function sameButForRows(a: RecordedStep, b: RecordedStep): void {
  const names = ({ calls }: RecordedStep) => {
    return [...new Set<string>(calls.map(({ kernel }) => kernel))].filter(name => !widening.includes(name)).join()
  }
  if (names(a) !== names(b)) throw new Unplannable('the model does different things for different numbers of rows')
}
