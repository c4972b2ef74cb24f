/**
 * A sweep whose runs are kept in a folder, which processes on several machines may share: what is done there is not done
 * again. Not here: the files (run_files.ts), the shards (shard.ts).
 */

import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { driveAsync, driveSync, type Steps, toEventLoop } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import { onStream } from '../engine/exclusive.js'
import { removeStale } from '../io/atomic_write.js'
import { promisingDisk, waitingDisk } from '../io/disk.js'
import { checkFit } from './fit_options.js'
import type { Lists } from './grid.js'
import { type Job, runAll } from './parallel_runs.js'
import { fileOf, listRuns, readRun, type SavedRun, writeRun } from './run_files.js'
import { type Configuration, checkConfiguration } from './run_state.js'
import { isOf, shardOf } from './shard.js'
import { builtConfiguration, sweepConfiguration } from './sweep_configuration.js'
import { type RunParams, rankedBy, type SweepOptions, type SweepRun } from './sweep_options.js'
import { type Built, build, fitOptions, train } from './sweep_run.js'

const disk = promisingDisk

/** A function that makes its value when it is first called. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

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

  /** Does what is left of this process's shard. The runs of the shard, or all where none is missing. */
  async run(): Promise<{ runs: SweepRun<P>[]; missing: number[] }> {
    const { options, all } = this
    const shard = shardOf('sweep', options.shard, process.env)
    const mine = [...all.keys()].filter(index => isOf(shard, index))
    await driveAsync(this.#begin())
    await driveAsync(this.#takeUp(new Set(mine)))
    const left = mine.filter(index => !this.#done.has(index))
    const ended = await runAll(
      'sweep',
      left.map(index => this.#job(index)),
      options.signal,
      options.onRun,
    )
    for (const run of ended) this.#done.set(run.index, run)
    const missing = await driveAsync(this.#addOthers())
    const shown = missing.length ? mine : [...all.keys()]
    return { runs: shown.map(index => this.#done.get(index)!), missing }
  }

  /** Throws what `fit` does for options, before there is a folder. */
  *#begin(): Steps<void> {
    const { options, all, lists, dir } = this
    const first = yield* this.#built(0)
    checkFit(first.model, fitOptions(options, all[0], first))
    this.#configuration = yield* sweepConfiguration(options, lists)
    mkdirSync(dir, { recursive: true })
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
      const present = builtConfiguration(yield* this.#built(index))
      checkConfiguration('sweep', present, saved.run, `run ${index} in ${this.dir}`)
      this.#done.set(index, this.#stored(saved))
      yield toEventLoop
    }
  }

  /** Reads the runs of other shards where all of them are there; which are not. */
  *#addOthers(): Steps<number[]> {
    const there = new Set(yield* listRuns(disk, this.dir))
    const absent = () => [...this.all.keys()].filter(index => !this.#done.has(index))
    const missing = absent().filter(index => !there.has(index))
    if (missing.length > 0) return missing
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

  /** A run whose model and optimizer are read from its file when they are asked for: there may be many. */
  #stored({ index, history }: SavedRun): SweepRun<P> {
    const opened = once(() => driveSync('sweep', this.#opened(index)))
    const optimizer = once(() => {
      const { built, saved } = opened()
      built.optimizer.loadStateDict(saved.optimizer) // refuses the state of a run that diverged
      return built.optimizer
    })
    return {
      ...{ index, params: this.all[index], history },
      get model() {
        return opened().built.model
      },
      get optimizer() {
        return optimizer()
      },
    }
  }

  *#opened(index: number): Steps<{ built: Built; saved: SavedRun }> {
    const saved = yield* readRun(waitingDisk, this.dir, index)
    const built = yield* this.#built(index)
    built.model.loadStateDict(saved.model)
    return { built, saved }
  }

  /** What a run trains, before its first update. */
  #built(index: number): Steps<Built> {
    const { options, all } = this
    return onStream(
      all[index].seed,
      // biome-ignore lint/correctness/useYield: there is nothing to wait for.
      (function* () {
        return build(options, all[index])
      })(),
    )
  }
}
