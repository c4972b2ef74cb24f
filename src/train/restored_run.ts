/** Runs of a sweep whose model and optimizer are made anew from what was kept of them. Not here: where it is kept. */

import { driveSync } from '../base/drive.js'
import type { SavedRun } from './run_files.js'
import type { RunParams, SweepOptions, SweepRun } from './sweep_options.js'
import { builtRun } from './sweep_run.js'

type Trained = Pick<SavedRun, 'model' | 'optimizer'>

/** A function that makes its value when it is first called. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** A run whose model and optimizer are read when they are asked for: there may be many. */
export function restoredRun<P extends object>(
  options: SweepOptions<P>,
  params: RunParams<P>,
  { index, history }: Pick<SavedRun, 'index' | 'history'>,
  read: () => Trained,
): SweepRun<P> {
  const opened = once(() => {
    const [trained, built] = [read(), driveSync('sweep', builtRun(options, params))]
    built.model.loadStateDict(trained.model)
    return { trained, built }
  })
  const optimizer = once(() => {
    const { trained, built } = opened()
    built.optimizer.loadStateDict(trained.optimizer) // refuses the state of a run that diverged
    return built.optimizer
  })
  return {
    ...{ index, params, history },
    get model() {
      return opened().built.model
    },
    get optimizer() {
      return optimizer()
    },
  }
}
