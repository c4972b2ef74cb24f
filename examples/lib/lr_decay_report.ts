/** What lr-decay.ts prints and writes: tables, pictures, history.json, report.html. All statements follow from the figures. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { report } from 'anneal'

/** Figures per epoch, and the rate after every update. */
export interface History {
  trainLoss: number[]
  testLoss: number[]
  trainAcc: number[]
  testAcc: number[]
  lr: number[]
}

/** Runs with and without decay from the same initial states, one per seed. */
export interface Study {
  lr: number
  dynamic: History[]
  static: History[]
}

export interface Studies {
  /** The lecture's two runs. */
  lecture: { dynamic: History; static: History }
  /** The lecture's rate over several seeds. */
  small: Study
  /** A rate that is too large to settle. */
  large: Study
  /** The runs under each schedule at the large rate, one per seed; `static` is without one. */
  schedules: Record<string, History[]>
}

const average = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
const last = (values: number[]) => values[values.length - 1]
const percent = (fraction: number) => `${(100 * fraction).toFixed(fraction < 0.1 ? 1 : 0)} %`

/** The mean of several runs, entry by entry. */
function mean(runs: History[]): History {
  const merge = (key: keyof History) => runs[0][key].map((_, i) => average(runs.map(run => run[key][i])))
  const [trainLoss, testLoss, trainAcc, testAcc, lr] = (
    ['trainLoss', 'testLoss', 'trainAcc', 'testAcc', 'lr'] as const
  ).map(merge)
  return { trainLoss, testLoss, trainAcc, testAcc, lr }
}

/** The last epoch of each run. */
function finalRows(runs: Record<string, History>): report.Row[] {
  return Object.entries(runs).map(([run, history]) => ({
    run,
    'train loss': last(history.trainLoss).toFixed(6),
    'test loss': last(history.testLoss).toFixed(6),
    'train acc': last(history.trainAcc).toFixed(6),
    'test acc': last(history.testAcc).toFixed(6),
    'last lr': last(history.lr),
  }))
}

/** How far the training loss still fell, as a share, over the last five epochs. */
const stillFalling = ({ trainLoss }: History) => 1 - last(trainLoss) / trainLoss[trainLoss.length - 6]

/** The mean change of the test loss from one epoch to the next over the last five epochs, as a share of the loss. */
function unrest({ testLoss }: History): number {
  const tail = testLoss.slice(-6)
  return average(tail.slice(1).map((loss, i) => Math.abs(loss - tail[i]))) / average(tail)
}

/** Who ends with the lower test loss, how surely, and what in the curves explains it. */
function verdict({ lr, dynamic, static: fixed }: Study): string {
  const [withDecay, without] = [dynamic, fixed].map(runs => average(runs.map(run => last(run.testLoss))))
  const wins = dynamic.filter((run, i) => last(run.testLoss) < last(fixed[i].testLoss)).length
  const winner =
    wins * 2 === dynamic.length ? 'Neither wins' : wins * 2 > dynamic.length ? 'The decay wins' : 'The static rate wins'
  const figures =
    `${winner} at a starting rate of ${lr}: after ${dynamic[0].testLoss.length} epochs the test loss is ${withDecay.toFixed(4)} ` +
    `with decay and ${without.toFixed(4)} without (means over ${dynamic.length} seeds); decay is the better one for ${wins} of them.`
  return `${figures} ${explanation(dynamic, fixed, wins * 2 > dynamic.length)}`.trim()
}

function explanation(dynamic: History[], fixed: History[], decayWins: boolean): string {
  const [falling, jumping, jumpingDecayed] = [
    average(fixed.map(stillFalling)),
    average(fixed.map(unrest)),
    average(dynamic.map(unrest)),
  ]
  if (!decayWins && falling > 0.05) {
    return (
      `The static runs are not done: their training loss still falls by ${percent(falling)} over the last five epochs. A rate ` +
      `this small for ${fixed[0].lr.length} plain SGD updates has nothing to gain from becoming smaller; the decay only slows it down.`
    )
  }
  if (decayWins && jumping > 2 * jumpingDecayed) {
    return (
      `The static runs do not settle: over the last five epochs their test loss changes by ${percent(jumping)} from one epoch to ` +
      `the next, that of the decayed runs by ${percent(jumpingDecayed)}. This is what decay is for.`
    )
  }
  return ''
}

/** Loss or accuracy of training and test, dynamic and static. */
function curves(
  runs: Studies['lecture'],
  train: 'trainLoss' | 'trainAcc',
  test: 'testLoss' | 'testAcc',
): report.Series[] {
  return Object.entries(runs).flatMap(([run, history]) => [
    { name: `${run}, training`, run, values: history[train] },
    { name: `${run}, test`, run, values: history[test], dashed: true },
  ])
}

const loss = { xLabel: 'epoch', yLabel: 'cross-entropy loss (nats)' }
const rate = { xLabel: 'updates done', yLabel: 'learning rate' }

/** Every picture by its file name. */
function pictures(
  { lecture, small, large, schedules }: Studies,
  means: Record<string, History>,
): Record<string, report.LineChartOptions> {
  const steps = (runs: Record<string, History>) =>
    Object.entries(runs).map(([name, run]) => ({ name, values: run.lr, step: true }))
  const big = { dynamic: large.dynamic[0], static: large.static[0] }
  const overSeeds = `means over ${large.static.length} seeds, starting rate ${large.lr}`
  return {
    lr: { title: 'Learning rate: halved every five epochs, and static', ...rate, series: steps(lecture) },
    loss: {
      title: `Loss at a starting rate of ${small.lr}`,
      ...loss,
      series: curves(lecture, 'trainLoss', 'testLoss'),
    },
    accuracy: {
      title: `Accuracy at a starting rate of ${small.lr}`,
      xLabel: 'epoch',
      yLabel: 'accuracy (fraction of points)',
      series: curves(lecture, 'trainAcc', 'testAcc'),
    },
    'large-rate-loss': {
      title: `Loss at a starting rate of ${large.lr}`,
      subtitle: 'one pair of runs, seed 0',
      ...loss,
      series: curves(big, 'trainLoss', 'testLoss'),
    },
    'schedules-lr': { title: 'Five schedules', subtitle: overSeeds, ...rate, yScale: 'log', series: steps(means) },
    'schedules-loss': {
      title: 'Test loss under five schedules',
      subtitle: `${overSeeds}; bands: one standard deviation`,
      ...loss,
      series: Object.entries(schedules).map(([name, runs]) => ({
        name,
        values: means[name].testLoss,
        deviation: deviations(runs.map(run => run.testLoss)),
      })),
    },
  }
}

/** The schedules by their final test loss, and whether their differences are more than those between seeds. */
function ranking(schedules: Record<string, History[]>): string {
  const entries = Object.entries(schedules).map(([name, runs]) => ({
    name,
    ...spread(runs.map(run => last(run.testLoss))),
  }))
  const order = entries.toSorted((a, b) => a.mean - b.mean)
  const decayed = order.filter(({ name }) => name !== 'static')
  const distance = decayed[decayed.length - 1].mean - decayed[0].mean
  const seeds = average(decayed.map(({ deviation }) => deviation))
  const list = order
    .map(({ name, mean, deviation }) => `${name}, ${mean.toFixed(4)} ± ${deviation.toFixed(4)}`)
    .join('; ')
  return (
    `Final test loss, mean and standard deviation over the seeds, from the lowest: ${list}. The means of the schedules that decay ` +
    `differ by ${distance.toFixed(4)}, ${distance < seeds ? 'less' : 'more'} than the seeds under one schedule do (${seeds.toFixed(4)}).`
  )
}

/** The standard deviation over the runs, epoch by epoch. */
function deviations(runs: number[][]): number[] {
  return runs[0].map((_, i) => spread(runs.map(run => run[i])).deviation)
}

function spread(values: number[]) {
  const mean = average(values)
  return { mean, deviation: Math.sqrt(average(values.map(value => (value - mean) ** 2))) }
}

/** What is said about the studies, in order: printed, and with the pictures named it is the page. */
function sections({ lecture, small, large, schedules }: Studies, means: Record<string, History>) {
  const first = { dynamic: large.dynamic[0], static: large.static[0] }
  return [
    {
      heading: `The lecture: learning rate ${small.lr}`,
      text: `${verdict(small)} Table and curves: seed 0.`,
      table: finalRows(lecture),
      pictures: ['lr', 'loss', 'accuracy'],
    },
    {
      heading: `A rate too large to settle: ${large.lr}`,
      text: `${verdict(large)} Table and curves: seed 0.`,
      table: finalRows(first),
      pictures: ['large-rate-loss'],
    },
    {
      heading: `Other schedules, from a learning rate of ${large.lr}`,
      text: `${ranking(schedules)} Table and curves: means over the seeds.`,
      table: finalRows(means),
      pictures: ['schedules-lr', 'schedules-loss'],
    },
  ]
}

/** Print the tables and write everything into the folder `out`. */
export async function writeStudies(out: string, studies: Studies): Promise<void> {
  const means = Object.fromEntries(Object.entries(studies.schedules).map(([name, runs]) => [name, mean(runs)]))
  const parts = sections(studies, means)
  for (const { heading, text, table } of parts) console.log(`\n${heading}\n\n${report.textTable(table)}\n\n${text}`)

  await mkdir(out, { recursive: true })
  const svg: Record<string, report.Picture> = {}
  for (const [name, options] of Object.entries(pictures(studies, means))) {
    const chart = await report.lineChart(options)
    const onTelephone = await report.lineChart({ ...options, width: 360, height: 360 })
    svg[name] = { wide: chart.svg, narrow: onTelephone.svg }
    await writeFile(join(out, `${name}.svg`), chart.svg)
    await writeFile(join(out, `${name}.png`), await chart.png())
  }
  const page = report.htmlReport({
    title: 'Does learning-rate decay help?',
    sections: parts.map(({ pictures: names, ...part }) => ({ ...part, svg: names.map(name => svg[name]) })),
  })
  await writeFile(join(out, 'report.html'), page)
  const { lecture, large } = studies
  const history = { lecture, large: { dynamic: large.dynamic[0], static: large.static[0] }, schedules: means }
  await writeFile(join(out, 'history.json'), `${JSON.stringify(history)}\n`)
  console.log(`\nPictures, history.json and report.html are in ${out}`)
}
