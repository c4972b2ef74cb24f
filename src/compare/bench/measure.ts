/** Timing in one process: contenders in turn, many short samples each, medians. Not here: what is timed (cases.ts). */

/** Something to time; everything it needs is ready. */
export interface Run {
  run(): void
  dispose(): void
}

/** Microseconds of one call. */
export interface Timing {
  readonly median: number
  /** Fastest and slowest sample. */
  readonly min: number
  readonly max: number
}

/** A sample is as many calls as take about this long. */
const SAMPLE_MS = 5

function timeCalls(run: () => void, calls: number): number {
  const start = performance.now()
  for (let i = 0; i < calls; i++) run()
  return performance.now() - start
}

/** Calls that fill a sample, found while warming up. */
function calibrate(run: () => void, warmUpMs: number): number {
  let calls = 1
  let spent = timeCalls(run, 1)
  for (let ms = spent; spent < warmUpMs || ms < SAMPLE_MS / 2; spent += ms) {
    ms = timeCalls(run, calls)
    calls = Math.max(1, Math.min(calls * 8, Math.ceil((calls * SAMPLE_MS) / Math.max(ms, 1e-3))))
    if (ms >= SAMPLE_MS && spent + ms >= warmUpMs) break
  }
  return calls
}

/** Times contenders in turn, each for about so many milliseconds after warming up. */
export function measure(runs: readonly Run[], milliseconds: number): Timing[] {
  const calls = runs.map(({ run }) => calibrate(run, milliseconds / 5))
  const samples: number[][] = runs.map(() => [])
  const spent = runs.map(() => 0)
  while (spent.some(ms => ms < milliseconds)) {
    runs.forEach(({ run }, i) => {
      if (spent[i] >= milliseconds) return
      const ms = timeCalls(run, calls[i])
      spent[i] += ms
      samples[i].push((ms / calls[i]) * 1000)
    })
  }
  return samples.map(values => {
    values.sort((a, b) => a - b)
    return { median: values[values.length >> 1], min: values[0], max: values[values.length - 1] }
  })
}
