/**
 * The measurement itself: rounds of A B C, A B C, ..., every driver a new process, the machine's peak probed in each
 * round. A slow moment of the machine so hits all contenders alike, and medians over rounds leave it out.
 */
import { type Contender, unsuited } from '../contenders.js'
import type { DriverAnswer } from '../drivers/driver.js'
import { flops, type Trial } from '../trials.js'
import { type Placement, type Probe, peakOf, probeMachine, runDriver } from './process.js'
import { type Command, type Program, programOf } from './programs.js'
import { median } from './stats.js'

/** One contender's rounds of one trial. */
export interface Measured {
  name: string
  role: Contender['role']
  /** Median of the blocks of each round, in microseconds. */
  rounds: number[]
  answers: DriverAnswer[]
}

export interface Skipped {
  name: string
  reason: string
}

export interface TrialResult {
  trial: Trial
  probes: Probe[]
  /** Of one thread alone, where threads are what is measured. */
  probesAlone: Probe[]
  measured: Measured[]
  skipped: Skipped[]
}

export interface Plan extends Placement {
  rounds: number
  seconds: number
}

/** Where lines of progress go. */
export type Tell = (line: string) => void

type Ready = { contender: Contender; program: Exclude<Program, { missing: string }>; measured: Measured }

/** Finds and builds every contender's program once. */
export function preparePrograms(contenders: readonly Contender[], tell: Tell): Map<Contender, Program> {
  return new Map(
    contenders.map(contender => {
      const program = programOf(contender)
      if ('missing' in program) tell(`${contender.name}: skipped, ${program.missing}`)
      return [contender, program]
    }),
  )
}

function divide(
  trial: Trial,
  programs: Map<Contender, Program>,
  threads: number,
): { ready: Ready[]; skipped: Skipped[] } {
  const ready: Ready[] = []
  const skipped: Skipped[] = []
  for (const [contender, program] of programs) {
    const { name, role } = contender
    if (!contender.does.includes(trial.kind)) continue
    const reason = 'missing' in program ? program.missing : unsuited(contender, trial, flops(trial), threads)
    if (reason !== undefined) skipped.push({ name, reason })
    else if ('command' in program) ready.push({ contender, program, measured: { name, role, rounds: [], answers: [] } })
  }
  return { ready, skipped }
}

/** Per limit and round; a shorter request shortens it. */
const PROBE_SECONDS = 0.2

/** Below this share of its core a single-threaded driver was not alone on it, and its round is taken once more. */
const ENOUGH_CORE = 0.9

async function answerOf(command: Command, plan: Plan): Promise<DriverAnswer> {
  const first = await runDriver(command, plan)
  if (plan.threads > 1 || first.busy >= ENOUGH_CORE) return first
  const second = await runDriver(command, plan)
  return second.busy > first.busy ? second : first
}

/** One driver in one round; false where it failed, with the reason among the skipped. */
async function take(
  { contender, program, measured }: Ready,
  trial: Trial,
  plan: Plan,
  skipped: Skipped[],
): Promise<boolean> {
  try {
    const answer = await answerOf(program.command(trial, contender.threads ?? plan.threads, plan.seconds), plan)
    measured.answers.push(answer)
    measured.rounds.push(median(answer.samples))
    return true
  } catch (error) {
    skipped.push({ name: measured.name, reason: error instanceof Error ? error.message : String(error) })
    return false
  }
}

/** All rounds of one trial. A contender that fails is reported and left out of the following rounds. */
export async function runTrial(
  trial: Trial,
  programs: Map<Contender, Program>,
  plan: Plan,
  tell: Tell,
): Promise<TrialResult> {
  let { ready, skipped } = divide(trial, programs, plan.threads)
  const all = ready.map(({ measured }) => measured)
  const probes: Probe[] = []
  const probesAlone: Probe[] = []
  for (let round = 1; round <= plan.rounds && ready.length; round++) {
    const probe = await probeMachine(plan, Math.min(PROBE_SECONDS, plan.seconds), tell)
    if (probe) probes.push(probe)
    const alone = trial.kind === 'scaling' && (await probeMachine({ ...plan, threads: 1 }, PROBE_SECONDS, tell))
    if (alone) probesAlone.push(alone)
    const still: Ready[] = []
    for (const one of ready) if (await take(one, trial, plan, skipped)) still.push(one)
    ready = still
    const figures = ready.map(({ measured }) => `${measured.name} ${measured.rounds[round - 1].toPrecision(4)}`)
    const peak = probe ? `, peak ${peakOf(probe).toFixed(1)} GFLOP/s` : ''
    tell(`${trial.name}: round ${round} of ${plan.rounds}${peak}: ${figures.join(', ')} (µs)`)
  }
  return { trial, probes, probesAlone, measured: all.filter(({ rounds }) => rounds.length), skipped }
}
