/**
 * `npm run bench:server -- [seconds]`: what a server that trains beside its other work feels: fits of one batch, the event loop
 * and files while a large fit runs, many small runs at once, and memory over many fits. Nothing is compared here; other
 * processes on the machine are in the figures.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { AnnealError, fit, lrFind, nn, optim, report, sweep } from 'anneal'
import { lectureLoaders, modelOf, optimizerOf, QwertyNet, schedulerOf, setsOf } from './drivers/anneal.js'
import { describeMachine } from './harness/machine.js'
import { median } from './harness/stats.js'
import { type StepTrial, trials } from './trials.js'

type Row = { figure: string; value: number; unit: string; of: string }

const seconds = Number(process.argv[2] ?? 10)
if (!(seconds > 0))
  throw new RangeError(`bench:server: expected a number of seconds above 0 but received ${process.argv[2]}`)
const loss = new nn.CrossEntropyLoss()
const lecture = trials.find(trial => trial.kind === 'lecture')!

function stepTrial(name: string): StepTrial {
  return trials.find((trial): trial is StepTrial => trial.kind === 'step' && trial.name === name)!
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}

/** Milliseconds of each of `count` calls. */
async function times(count: number, call: () => unknown): Promise<number[]> {
  const ms: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await call()
    ms.push(performance.now() - start)
  }
  return ms
}

/** Fits of one batch each on one model, after as many to warm up. */
async function onlineFits(): Promise<Row[]> {
  const trial = stepTrial('64-32-10')
  const model = modelOf(trial)
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 })
  const { train } = setsOf({ ...trial, rows: trial.batch })
  const options = { train, loss, optimizer, epochs: 1 }
  const of = 'a fit of one batch on 64-32-10, its step included, median of 1000'
  const rows: Row[] = []
  for (const [figure, run] of [
    ['fit.sync', () => fit.sync(model, options)],
    ['await fit', () => fit(model, options)],
  ] as const) {
    await times(1000, run)
    rows.push({ figure, value: 1000 * median(await times(1000, run)), unit: 'µs', of })
  }
  return rows
}

/** Delays of a 1 ms timer and times of a small file's reading until `signal` says stop. */
async function watch(signal: AbortSignal): Promise<{ delays: number[]; reads: number[] }> {
  const [delays, reads] = [[] as number[], [] as number[]]
  const readAll = async () => {
    while (!signal.aborted) {
      reads.push(...(await times(1, () => readFile(new URL(import.meta.url)))))
      await sleep(5)
    }
  }
  const tick = async () => {
    while (!signal.aborted) delays.push((await times(1, () => sleep(1)))[0] - 1)
  }
  await Promise.all([readAll(), tick()])
  return { delays, reads }
}

function expectAborted(error: unknown): void {
  if (!(error instanceof AnnealError && error.code === 'ERR_ABORTED')) throw error
}

/** The event loop during a large fit that is aborted after some seconds. */
async function largeFit(): Promise<Row[]> {
  const trial = stepTrial('784-1024-1024-10')
  const { train } = setsOf(trial)
  const model = modelOf(trial)
  const optimizer = optimizerOf(model.parameters(), trial.optimizer)
  const [fitting, watching] = [new AbortController(), new AbortController()]
  const watched = watch(watching.signal)
  let aborted = 0
  setTimeout(() => {
    aborted = performance.now()
    fitting.abort()
  }, seconds * 1000)
  await fit(model, { train, loss, optimizer, epochs: 1e6, signal: fitting.signal }).catch(expectAborted)
  const latency = performance.now() - aborted
  watching.abort()
  const { delays, reads } = await watched
  const of = `during a fit of 784-1024-1024-10 on 60000 rows, ${seconds} s`
  return [
    { figure: '1 ms timer late, p99', value: quantile(delays, 0.99), unit: 'ms', of },
    { figure: '1 ms timer late, most', value: Math.max(...delays), unit: 'ms', of },
    { figure: 'fs.readFile, p99', value: quantile(reads, 0.99), unit: 'ms', of },
    { figure: 'abort to rejection', value: latency, unit: 'ms', of },
  ]
}

/** Learning-rate studies on the lecture's net and data. */
async function studies(): Promise<Row[]> {
  const { train, test } = lectureLoaders(lecture)
  const lr = Array.from({ length: 16 }, (_, i) => 1e-3 * (1 + i))
  const runSweep = () =>
    sweep({
      makeModel: () => new QwertyNet(),
      makeOptimizer: (model, values) => new optim.SGD(model.parameters(), { lr: values.lr }),
      makeScheduler: optimizer => schedulerOf(optimizer as optim.Optimizer, lecture.schedule)!,
      grid: { lr },
      train,
      test,
      loss,
      epochs: lecture.epochs,
    })
  const model = new QwertyNet()
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 })
  const find = () => lrFind(model, { train, loss, optimizer, minLr: 1e-5, maxLr: 10, steps: 100 })
  await times(100, runSweep)
  await times(100, find)
  const of = 'warm, median of 20'
  return [
    { figure: 'sweep of 16 rates over the lecture', value: median(await times(20, runSweep)), unit: 'ms', of },
    { figure: 'lrFind, 100 steps', value: median(await times(20, find)), unit: 'ms', of },
  ]
}

/** Resident memory after 1e6 plan steps less that after 1e5, in fits of 460 steps whose histories are dropped. */
async function memory(): Promise<Row[]> {
  const { train, test } = lectureLoaders(lecture)
  const model = new QwertyNet()
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-4 })
  const resident = async (steps: number) => {
    for (let done = 0; done < steps; done += 20 * train.length)
      await fit(model, { train, test, loss, optimizer, epochs: 20 })
    globalThis.gc?.()
    return process.memoryUsage.rss() / 2 ** 20
  }
  const [before, after] = [await resident(1e5), await resident(9e5)]
  const of = `1e6 steps less 1e5${globalThis.gc ? '' : ', without --expose-gc'}`
  return [{ figure: 'resident memory', value: after - before, unit: 'MB', of }]
}

const { cpu, cores, node, load } = describeMachine()
console.log(`${cpu}, ${cores} processors, node ${node}, load ${load.toFixed(1)}`)
const rows: Row[] = []
for (const part of [onlineFits, studies, memory, largeFit]) rows.push(...(await part()))
console.log(report.textTable(rows.map(row => ({ ...row, value: row.value.toPrecision(3) }))))
