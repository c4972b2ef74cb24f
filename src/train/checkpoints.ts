/** When a run's checkpoints are due, and their writing. Not here: what is in them (run_state.ts), the folder's rules. */

import { join } from 'node:path'
import type { Steps } from '../base/drive.js'
import { AnnealError } from '../base/errors.js'
import type { Engine } from '../engine/engine.js'
import type { Model } from '../engine/options.js'
import { atomicWrite } from '../io/atomic_write.js'
import { type Disk, promisingDisk } from '../io/disk.js'
import { encodeCheckpoint } from '../models/checkpoint.js'
import { modelParts } from '../models/save.js'
import { writeCheckpoint } from './checkpoint_folder.js'
import type { FitOptions } from './fit_options.js'
import { directionOf, type EpochEvent, type Figure, figureOf } from './history.js'
import type { RunState } from './run_state.js'

/** What `callbacks.checkpoint` was given. */
export interface CheckpointSettings {
  readonly dir: string
  readonly everyEpochs: number
  readonly everySteps: number
  readonly everySeconds: number
  readonly onAbort: boolean
  readonly keep: number
  readonly monitor: Figure | null
}

/** Parts that share the model's memory, copied: whoever holds a tensor may change it while the disk is at work. */
const copyOf = (parts: readonly Uint8Array[]) => parts.map(part => part.slice())

/** The bytes of a checkpoint, of memory of their own. */
export const checkpointParts = (state: RunState) => copyOf(encodeCheckpoint(state))

/** @internal For tests: where checkpoints go. */
export const checkpointDisk: { disk: Disk } = { disk: promisingDisk }

/** The checkpoints of one folder. */
export class Checkpoints {
  #written = performance.now()
  #steps = 0

  constructor(
    private readonly settings: CheckpointSettings,
    /** The best value of the monitored curve so far, as one that falls. */
    public best: number | null,
    /** Whether this process writes them: of a job's ranks the first. */
    private readonly writes: boolean,
  ) {}

  /** Those that a run's callbacks ask for. */
  static of({ callbacks = [], world }: FitOptions, best: readonly (number | null)[]): Checkpoints[] {
    const wanted = callbacks.flatMap(({ checkpoint }) => checkpoint ?? [])
    return wanted.map((settings, i) => new Checkpoints(settings, best[i] ?? null, !world || world.rank === 0))
  }

  /** Epochs that may go by before one is due, after `done` of them. */
  epochsAhead(done: number): number {
    const { everyEpochs, everySteps, everySeconds, monitor } = this.settings
    const anyTime = everySteps < Infinity || everySeconds < Infinity || monitor !== null
    return anyTime ? 1 : everyEpochs - (done % everyEpochs)
  }

  /** Updates that may go by before one is due, after `done` of them. */
  updatesAhead(done: number): number {
    const { everySteps } = this.settings
    return everySteps < Infinity ? everySteps - (done % everySteps) : Infinity
  }

  /** Whether an abort waits for a checkpoint. */
  get onAbort(): boolean {
    return this.settings.onAbort
  }

  /** Whether one is due by the clock. */
  get isLate(): boolean {
    return performance.now() - this.#written >= this.settings.everySeconds * 1000
  }

  /** Whether one is due after so many updates, in the middle of an epoch; `late`: by the clock. */
  isDue(steps: number, aborted: boolean, late: boolean): boolean {
    const { everySteps, onAbort } = this.settings
    const asked = late || (aborted && onAbort) || (everySteps < Infinity && steps % everySteps === 0)
    return steps !== this.#steps && asked
  }

  /** Whether one is due after this epoch; `over`: the run is. */
  isDueAfter({ epoch }: EpochEvent, steps: number, over: boolean, aborted: boolean, late: boolean): boolean {
    return over || epoch % this.settings.everyEpochs === 0 || this.isDue(steps, aborted, late)
  }

  *write(steps: number, parts: readonly Uint8Array[]): Steps<void> {
    const { dir, keep } = this.settings
    if (this.writes) yield* writeCheckpoint(checkpointDisk.disk, dir, steps, parts, keep)
    this.#written = performance.now()
    this.#steps = steps
  }

  /** After the best epoch so far: the model alone, as `io.save` writes it, beside the checkpoints. */
  *writeBest(event: EpochEvent, model: Model, show: Engine['show']): Steps<void> {
    const { dir, monitor } = this.settings
    if (monitor === null) return
    const value = figureOf(event, monitor)
    if (value === undefined)
      throw new AnnealError('ERR_STATE', `checkpoint: expected ${monitor} to be measured but it is absent`)
    const falling = directionOf(monitor) * value
    if (!(falling < (this.best ?? Infinity))) return
    this.best = falling
    const notes = `epoch ${event.epoch}, ${monitor} ${value}`
    const parts = show(() => copyOf(modelParts('checkpoint', model, { notes })))
    if (this.writes) yield* atomicWrite(checkpointDisk.disk, join(dir, 'best.safetensors'), parts)
  }
}
