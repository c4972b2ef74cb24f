/**
 * A sweep whose runs are kept in a folder, which processes on several machines may share: what is done there is not done
 * again. Not here: the files (run_files.ts), the shards (shard.ts).
 */

import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { driveAsync, driveSync, type Steps, toEventLoop } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { removeStale } from '../io/atomic_write.js'
import { promisingDisk, waitingDisk } from '../io/disk.js'
import { runDealt } from './dealt_runs.js'
import type { Lists } from './grid.js'
import { type Job, runAll } from './parallel_runs.js'
import { restoredRun } from './restored_run.js'
import { fileOf, listRuns, readRun, type SavedRun, writeRun } from './run_files.js'
import { type Configuration, checkConfiguration } from './run_state.js'
import { isOf, shardOf, whole } from './shard.js'
import { builtConfiguration, checkedConfiguration } from './sweep_configuration.js'
import { type RunParams, rankedBy, type SweepOptions, type SweepRun } from './sweep_options.js'
import { build, builtRun, train } from './sweep_run.js'
import { agreeOnSweep, unionOf } from './world_sweep.js'

const disk = promisingDisk

export class StoredSweep<P extends object> {
  #configuration: Configuration = {}
  /** Those that are done and whole, by their index. */
  readonly #done = new Map<number, SweepRun<P>>()

  constructor(
    private readonly options: SweepOptions<P>,
    private readonly dir: string,
    private readonly lists: Lists,
    private readonly all: readonly RunParams<P>[],
  ) {}

  /** Does what is left of this process's part. The runs of its shard, or all where none is missing. */
  async run(): Promise<{ runs: SweepRun<P>[]; missing: number[] }> {
    const { options, dir, lists, all } = this
    const { world, signal, onRun } = options
    const shard = world ? whole : shardOf('sweep', options.shard, process.env)
    const mine = [...all.keys()].filter(index => isOf(shard, index))
    this.#configuration = await driveAsync(checkedConfiguration(options, lists, all))
    mkdirSync(dir, { recursive: true })
    if (world) await agreeOnSweep(world, this.#configuration)
    await driveAsync(this.#takeUp(new Set(mine)))
    const undone = mine.filter(index => !this.#done.has(index))
    const left = world ? await unionOf(world, undone) : undone
    const jobs = left.map(index => this.#job(index))
    const ended = await (world ? runDealt(world, 'sweep', jobs, signal, onRun) : runAll('sweep', jobs, signal, onRun))
    for (const run of ended) this.#done.set(run.index, run)
    const missing = await driveAsync(this.#addOthers())
    const shown = missing.length ? mine.filter(index => this.#done.has(index)) : [...all.keys()]
    return { runs: shown.map(index => this.#done.get(index)!), missing }
  }

  /** Finds what is done of these runs. Throws ERR_STATE where the folder is another sweep's. */
  *#takeUp(mine: ReadonlySet<number>): Steps<void> {
    yield* removeStale(disk, this.dir, new Set([...mine].map(index => basename(fileOf(this.dir, index)))))
    const there = yield* listRuns(disk, this.dir)
    // One of the others' says whose the folder is; the rest of them is read when all are there.
    for (const index of there.filter(index => !mine.has(index))) if (yield* this.#read(index)) break
    for (const index of there.filter(index => mine.has(index))) {
      const saved = yield* this.#read(index)
      if (saved === null) continue
      const present = builtConfiguration(yield* builtRun(this.options, this.all[index]))
      checkConfiguration('sweep', present, saved.run, `run ${index} in ${this.dir}`)
      this.#done.set(index, this.#stored(saved))
      yield toEventLoop
    }
  }

  /** Reads the runs of other processes where all of them are there; which are not. */
  *#addOthers(): Steps<number[]> {
    const absent = () => [...this.all.keys()].filter(index => !this.#done.has(index))
    if (!this.options.world) {
      const there = new Set(yield* listRuns(disk, this.dir))
      const missing = absent().filter(index => !there.has(index))
      if (missing.length > 0) return missing
    } // else all have ended: a list may be older than the files are
    for (const index of absent()) {
      const saved = yield* this.#read(index)
      if (saved) this.#done.set(index, this.#stored(saved))
    }
    return absent()
  }

  /** The run in a file of this sweep; null, and a warning, where the file is damaged. */
  *#read(index: number): Steps<SavedRun | null> {
    try {
      const saved = yield* readRun(disk, this.dir, index)
      checkConfiguration('sweep', this.#configuration, saved.sweep, `the sweep in ${this.dir}`)
      return saved
    } catch (error) {
      if (!(error instanceof AnnealError && error.code === 'ERR_FILE_FORMAT')) throw error
      process.emitWarning(`sweep: run ${index} counts as not done: ${error.message}`)
      return null
    }
  }

  #job(index: number): Job<SweepRun<P>> {
    const { options, dir, all } = this
    const [params, sweep] = [all[index], this.#configuration]
    const stored = (saved: SavedRun) => this.#stored(saved)
    return {
      seed: params.seed,
      *steps(signal, dispatch) {
        const built = build(options, params)
        const run = builtConfiguration(built)
        const history = yield* train(options, params, built, signal, dispatch)
        const [model, optimizer] = [built.model.stateDict(), built.optimizer.stateDict()]
        const saved = { index, sweep, run, rankedBy: rankedBy(options), history, model, optimizer }
        yield* writeRun(disk, dir, saved)
        return stored(saved)
      },
    }
  }

  /** Read from its file when it is asked for. */
  #stored(saved: SavedRun): SweepRun<P> {
    const { options, dir, all } = this
    const read = () => driveSync('sweep', readRun(waitingDisk, dir, saved.index))
    return restoredRun(options, all[saved.index], saved, read)
  }
}
