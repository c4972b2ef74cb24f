/** All programs of a run, recorded as the model and the optimizer are at the moment. Not here: one step (record_step.ts). */

import type { DataLoader } from '../data/index.js'
import type { World } from '../distributed/world.js'
import { Unplannable } from '../emitters/unplannable.js'
import type { Optimizer } from '../optim/index.js'
import { type Key, keyOf, sameKey } from '../plan/pool.js'
import { type DataForm, Memory, type Recording } from '../plan/program.js'
import { defaultGenerator, type Generator } from '../streams/index.js'
import { generatorsOf, heldBy } from './exclusive.js'
import { type Model, sharedBy, type TrainingOptions } from './options.js'
import { recordEvaluation, recordTraining } from './record_step.js'
import { columnsBehind, formOf, type PassColumns } from './resident.js'
import { type Segment, segmentsOf } from './segments.js'
import { withoutSideEffects } from './side_effects.js'
import { dropGradients } from './state.js'
import type { Feeds, StreamFeed } from './stream_feed.js'
import { UpdateScalars } from './update_scalars.js'

export interface Recorded {
  /** What the programs and the form of their data are known by. */
  readonly key: Key
  readonly recordings: readonly Recording[]
  readonly memory: Memory
  readonly scalars: UpdateScalars
  readonly segments: readonly Segment[]
  readonly forms: readonly DataForm[]
  /** Memory, by number, that others read while the steps run. */
  readonly published: readonly number[]
  /** The processes that share the steps, where there are several. */
  readonly world: World | undefined
  /** What its steps draw from. */
  readonly streams: readonly Generator[]
}

/** Records training and evaluation. Throws Unplannable, with the reason, where the model cannot be a plan. */
export function recordAll(model: Model, options: TrainingOptions, feeds: Feeds = {}): Recorded {
  try {
    return withoutSideEffects([model, options.loss], () => recordSegments(model, options, feeds))
  } catch (error) {
    dropGradients(model, options.optimizer)
    dropUnusedState(options.optimizer)
    throw error
  }
}

/** Throws Unplannable where the same model was recorded as two different things, programs or numbers. */
export function checkRepeatable(a: Recorded, b: Recorded): void {
  if (!sameKey(a.key, b.key)) throw new Unplannable('the model does different things each time')
  const same = a.memory.arrays.every((array, i) => {
    const other = b.memory.arrays[i]
    return array === other || array.every((value, at) => Object.is(value, other[at]))
  })
  if (!same) throw new Unplannable('the model computes with other numbers each time')
}

/** Recording makes state tensors before the first update; where none came, there are none to keep. */
export function dropUnusedState({ state, rule }: Optimizer): void {
  if (rule.hasStateFromStart) return
  for (const [p, { scalars, tensors }] of state) {
    if (scalars.step === 0 && Object.keys(tensors).length > 0) state.delete(p)
  }
}

/** The columns that steps over a loader read. */
function columnsOf(loader: DataLoader, feed: StreamFeed | undefined): PassColumns {
  return feed?.columns() ?? columnsBehind(loader)
}

function recordSegments(model: Model, options: TrainingOptions, feeds: Feeds): Recorded {
  const { train, test, optimizer, accumulate = 1 } = options
  const [memory, scalars] = [new Memory(), new UpdateScalars(optimizer)]
  const columns = columnsOf(train, feeds.train)
  if (accumulate > 1 && feeds.train) throw new Unplannable('steps of several batches go across the parts of a stream')
  const record = (parts: readonly number[]) => recordTraining(model, options, columns, parts, scalars, memory)
  const segments = segmentsOf({ loader: train, columns, trains: true, accumulate, record }, 0)
  if (test) {
    const columns = columnsOf(test, feeds.test)
    const record = ([count]: readonly number[]) => recordEvaluation(model, options, columns, count, memory)
    segments.push(...segmentsOf({ loader: test, columns, trains: false, accumulate: 1, record }, segments.length))
  }
  const forms = passes(segments).map(pass => formOf(pass[0].columns, recordedIn(pass)))
  const recordings = segments.map(({ recorded: { calls, advance }, trains }) => {
    return { calls, advance, dataSet: trains ? 0 : 1 }
  })
  const published = publishedIn(memory, model)
  const world = sharedBy(options)
  const key = keyOf(recordings, forms, published, world?.size)
  const streams = streamsOf(model, options, segments)
  return { key, recordings, memory, scalars, segments, forms, published, world, streams }
}

/** The memory, by number, that others read while a run holds it. */
function publishedIn(memory: Memory, model: Model): number[] {
  const published: number[] = []
  for (const array of heldBy(model)?.weights ?? []) {
    const index = memory.find(array)
    if (index !== undefined) published.push(index)
  }
  return published
}

/** Loaders' streams, and the layers' where they draw. */
function streamsOf(model: Model, options: TrainingOptions, segments: readonly Segment[]): Generator[] {
  const { train, accumulate = 1 } = options
  const streams = generatorsOf(model, options)
  if (segments.every(({ recorded }) => recorded.draws.length === 0)) return streams
  // A loader that runs out of samples draws between two parts of a step: from its own generator, as a rule.
  if (accumulate > 1 && train.generator === defaultGenerator)
    throw new Unplannable('loader and layers draw from one generator within a step')
  return [...new Set([...streams, defaultGenerator])]
}

/** Segments by the data set they read: training's, then those of evaluation. */
export function passes(segments: readonly Segment[]): Segment[][] {
  return [segments.filter(({ trains }) => trains), segments.filter(({ trains }) => !trains)].filter(
    pass => pass.length > 0,
  )
}

export const recordedIn = (segments: readonly Segment[]) => segments.map(({ recorded }) => recorded)
