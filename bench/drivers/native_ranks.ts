/**
 * `fit` shared by the ranks of an MPI job on this machine, one thread each: this program starts the job, whose ranks run it
 * too. What rank 0 measures is the answer, with what every rank spent on waiting for the others and on copies.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { distributed, fit } from 'anneal'
import type { RanksTrial } from '../trials.js'
import { checkEpochs, lossOf, modelOf, optimizerOf, setsOf, version } from './anneal.js'
import { type DriverAnswer, readRequest, writeAnswer } from './driver.js'
import { timeSteps } from './fit_steps.js'

const MARK = 'of a rank: '

/** What each rank says. */
interface RankAnswer {
  readonly rank: number
  readonly figures: Pick<DriverAnswer, 'samples' | 'busy' | 'steps'>
  readonly check: number
  /** Shares of the time of its steps. */
  readonly waiting: number
  readonly copying: number
  readonly megabytesPerStep: number
}

/** Since the job began; of a world of one without a launcher nothing. */
function trafficOf(world: distributed.World): { bytesSent: number; waiting: number; copying: number } {
  const { native } = world as unknown as { native?: { statistics(): ReturnType<typeof trafficOf> } }
  return native?.statistics() ?? { bytesSent: 0, waiting: 0, copying: 0 }
}

async function runRank(trial: RanksTrial, seconds: number): Promise<void> {
  const world = await distributed.init()
  const { step } = trial
  const [model, sets, loss] = [modelOf(step), setsOf(step), lossOf(step)]
  const optimizer = optimizerOf(model.parameters(), step.optimizer)
  const shared = { loss, optimizer, threads: 1, world }
  const { trainLoss } = await fit(model, { ...shared, train: sets.check, epochs: checkEpochs(step) })
  const check = trainLoss.reduce((sum, value) => sum + value, 0) / trainLoss.length
  const before = { ...trafficOf(world), time: performance.now() }
  const figures = await timeSteps(seconds, (onProgress, signal) =>
    fit(model, { ...shared, train: sets.train, epochs: 1e9, onProgress, signal }),
  )
  const after = { ...trafficOf(world), time: performance.now() }
  const time = (after.time - before.time) / 1000
  const answer: RankAnswer = {
    ...{ rank: world.rank, figures, check },
    waiting: (after.waiting - before.waiting) / time,
    copying: (after.copying - before.copying) / time,
    megabytesPerStep: figures.steps ? (after.bytesSent - before.bytesSent) / 1e6 / figures.steps : 0,
  }
  process.stdout.write(`${MARK}${JSON.stringify(answer)}\n`)
  await world.barrier()
}

/** Starts the job and gives what its ranks said, by rank. */
function runJob({ ranks }: RanksTrial): RankAnswer[] {
  const args = ['-n', String(ranks), process.execPath, fileURLToPath(import.meta.url), process.argv[2], 'rank']
  // Open MPI binds each rank to a core of its own choice, has a word for more ranks than cores, and no root but told twice.
  const env = {
    ...process.env,
    OMPI_MCA_hwloc_base_binding_policy: 'none',
    OMPI_MCA_rmaps_base_oversubscribe: '1',
    OMPI_ALLOW_RUN_AS_ROOT: '1',
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  }
  const { status, stdout, stderr, error } = spawnSync('mpirun', args, { encoding: 'utf8', env })
  if (error) throw error
  if (status !== 0) throw new Error(`the job ended with ${status}: ${stderr}`)
  const lines = stdout.split('\n').flatMap(line => (line.startsWith(MARK) ? [line.slice(MARK.length)] : []))
  return lines.map(line => JSON.parse(line) as RankAnswer).sort((a, b) => a.rank - b.rank)
}

const { trial, seconds } = readRequest<RanksTrial>()
if (process.argv[3] === 'rank') await runRank(trial, seconds)
else {
  const answers = runJob(trial)
  const [{ figures, check }] = answers
  const most = (share: 'waiting' | 'copying') => Math.max(...answers.map(answer => answer[share]))
  const ranks = answers.map(({ rank, waiting, copying, megabytesPerStep }) => ({
    rank,
    waiting,
    copying,
    megabytesPerStep,
  }))
  const settings = { ranks }
  writeAnswer({ version, unit: 'us', ...figures, check, waiting: most('waiting'), copying: most('copying'), settings })
}
