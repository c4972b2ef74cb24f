/** The runs of a sweep that shards left in a folder, ranked as if one process had done them. Not here: doing them. */

import { driveAsync, type Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { promisingDisk } from '../io/disk.js'
import { combinations } from './grid.js'
import type { Figure } from './history.js'
import { rank, type SweepResult } from './ranking.js'
import { listRuns, readRun, type SavedRun } from './run_files.js'
import { checkConfiguration } from './run_state.js'
import { listsIn } from './sweep_configuration.js'
import type { RunOutcome, RunParams } from './sweep_options.js'

/** Values of a grid as tables show them. */
type Cells = Readonly<Record<string, number | string>>

const disk = promisingDisk

interface Found {
  readonly runs: SavedRun[]
  /** Why files could not be used. */
  readonly damaged: string[]
}

function* readAll(dir: string): Steps<Found> {
  const [runs, damaged]: [SavedRun[], string[]] = [[], []]
  for (const index of yield* listRuns(disk, dir)) {
    try {
      const run = yield* readRun(disk, dir, index)
      if (runs.length > 0) checkConfiguration('sweep-merge', run.sweep, runs[0].sweep, `the sweep in ${dir}`)
      runs.push({ ...run, model: {}, optimizer: { state: {}, param_groups: [] } }) // there may be many
    } catch (error) {
      if (!(error instanceof AnnealError && error.code === 'ERR_FILE_FORMAT')) throw error
      damaged.push(error.message)
    }
  }
  return { runs, damaged }
}

/** `3, 5-9, 12` */
export function rangesText(indices: readonly number[]): string {
  const ranges: [first: number, last: number][] = []
  for (const index of indices) {
    const range = ranges.at(-1)
    if (range && range[1] === index - 1) range[1] = index
    else ranges.push([index, index])
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ')
}

/**
 * All runs in `dir`, ranked by `rankBy` or what the sweep ranks by. Throws ERR_EMPTY where there are none, ERR_STATE where
 * some are missing or of another sweep.
 */
export async function mergeSweep(dir: string, rankBy?: Figure): Promise<SweepResult<Cells, RunOutcome<Cells>>> {
  const { runs, damaged } = await driveAsync(readAll(dir))
  const notes = damaged.map(reason => `\n${reason}`).join('')
  if (runs.length === 0)
    throw new AnnealError('ERR_EMPTY', `${dir}: expected runs of a sweep but received none${notes}`)
  const lists = listsIn(dir, runs[0].sweep)
  const all = combinations(lists) as RunParams<Cells>[]
  const there = new Set(runs.map(({ index }) => index))
  const missing = [...all.keys()].filter(index => !there.has(index))
  if (missing.length > 0) {
    const few = `all ${all.length} runs but received ${runs.length}; missing: ${rangesText(missing)}`
    throw new AnnealError('ERR_STATE', `${dir}: expected ${few}${notes}`)
  }
  const outcomes = runs.map(({ index, history }) => ({ index, params: all[index], history }))
  return rank<Cells, RunOutcome<Cells>>(outcomes, rankBy ?? runs[0].rankedBy, lists, [])
}
