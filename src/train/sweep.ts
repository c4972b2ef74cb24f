/**
 * Many fits over a grid of settings, on all cores: `sweep`. Not here: its options (sweep_options.ts), one run (sweep_run.ts),
 * runs that are kept in a folder (stored_sweep.ts), ranking and picture (ranking.ts).
 */

import { combinations, listsOf } from './grid.js'
import { type Job, runAll } from './parallel_runs.js'
import { rank, type SweepResult } from './ranking.js'
import { StoredSweep } from './stored_sweep.js'
import { checkSweep, type RunParams, rankedBy, type SweepOptions, type SweepRun } from './sweep_options.js'
import { build, train } from './sweep_run.js'
import { sweepOverRanks } from './world_sweep.js'

function jobOf<P extends object>(options: SweepOptions<P>, index: number, params: RunParams<P>): Job<SweepRun<P>> {
  return {
    seed: params.seed,
    *steps(signal, dispatch) {
      const built = build(options, params)
      const history = yield* train(options, params, built, signal, dispatch)
      return { index, params, history, model: built.model, optimizer: built.optimizer }
    },
  }
}

/**
 * Trains every combination of `grid`, on all cores, and ranks the runs. Each is built and trained on a random stream of
 * its own, seeded by its `seed`: it has the bits that it would have alone after `random.manualSeed(seed)`, and the
 * default stream is left untouched.
 *
 * ```ts
 * const result = await sweep({
 *   makeModel: () => new Net(),
 *   makeOptimizer: (model, { lr }) => new optim.SGD(model.parameters(), { lr }),
 *   makeScheduler: optimizer => new lrScheduler.StepLR(optimizer, { stepSize: 115, gamma: 0.5 }),
 *   grid: { lr: [0.001, 0.01, 0.1, 1], seed: [0, 1, 2] },
 *   train, test, loss: new nn.CrossEntropyLoss(), epochs: 20,
 * })
 * console.log(result.table())
 * console.log(result.settingsTable()) // mean ± deviation over the seeds
 * const { model, params } = result.runs[0]
 * await writeFile('sweep.svg', (await result.chart()).svg)
 * ```
 * With `dir`, each run leaves a file there when it ends, and a sweep that is run again does what is left. `shard` does a part
 * of the runs, so that several machines share a sweep over one folder; whichever does which, the bits are those of one
 * machine. `missing` of the result says which runs nobody has done yet; without any, all of them are in the result. With a
 * `world` the ranks of an MPI job share the runs as they are free, and each has the whole result.
 *
 * Rejects with TypeError or RangeError for options, with the error of the first run that fails, with ERR_STATE where `dir`
 * has runs of another sweep, with ERR_RANKS_DIFFER where ranks have other options or data, and with ERR_ABORTED (its `runs`
 * are those that had ended here) when `signal` aborts, or when another rank ends the sweep.
 */
export async function sweep<P extends object>(options: SweepOptions<P>): Promise<SweepResult<P>> {
  checkSweep(options)
  const release = options.world?.hold('sweep')
  try {
    return await ranked(options)
  } finally {
    release?.()
  }
}

async function ranked<P extends object>(options: SweepOptions<P>): Promise<SweepResult<P>> {
  const { dir, world, signal, onRun } = options
  const lists = listsOf(options.grid)
  const all = combinations(lists) as RunParams<P>[]
  const figure = rankedBy(options)
  if (dir !== undefined) {
    const { runs, missing } = await new StoredSweep(options, dir, lists, all).run()
    return rank(runs, figure, lists, missing)
  }
  const jobs = all.map((params, index) => jobOf(options, index, params))
  const runs = world
    ? await sweepOverRanks(world, options, lists, jobs, all)
    : await runAll('sweep', jobs, signal, onRun)
  return rank(runs, figure, lists, [])
}
