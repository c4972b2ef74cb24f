/** What the figures of a trial say: medians, fractions of the machine's limits, ratios, and whether all did the same work. */
import { bytes, flops, stepOf, type Trial } from '../trials.js'
import { peakOf } from './process.js'
import type { Measured, TrialResult } from './rounds.js'
import { median, spread } from './stats.js'

export interface Line {
  trial: string
  driver: string
  /** Median over rounds. */
  us: number
  /** How far a typical round strays, as a fraction. */
  spread: number
  /** Processor time over wall time. */
  busy: number
  /** Shares of the time that the slowest of several ranks waited and copied. */
  waiting?: number
  copying?: number
  coldMs?: number
  /** Resident memory that the timed part added. */
  addedMB?: number
  /** Arithmetic over time, and over the peak measured in the same rounds. */
  gflops?: number
  ofPeak?: number
  /** Least traffic over time, and over the read bandwidth measured in the same rounds. */
  ofBandwidth?: number
  /** Of threads: one thread's time over this one's, and that over what the machine's peak gains by them; by rounds. */
  speedUp?: number
  ofSpeedUp?: number
  /** Time of the fastest peer over this one's: above 1 is faster than every peer. */
  ratio?: number
}

/** Contenders whose check strays further than this from the median of all checks did other work. */
const CHECK_TOLERANCE = 2e-3

/** The same where each library draws masks of its own. */
const DRAWN_TOLERANCE = 3e-2

const toleranceOf = (trial: Trial) => (stepOf(trial)?.hidden.dropout ? DRAWN_TOLERANCE : CHECK_TOLERANCE)

/** The fastest peer of a trial. */
export function fastestPeer({ measured }: TrialResult): Measured | undefined {
  const peers = measured.filter(({ role }) => role === 'peer')
  return peers.sort((a, b) => median(a.rounds) - median(b.rounds))[0]
}

/** What threads gain a contender and the machine, medians of the rounds. */
function gains({ probes, probesAlone, measured }: TrialResult, rounds: readonly number[]) {
  const alone = measured.find(({ name }) => name === 'native-fit-alone')?.rounds
  if (!alone || probesAlone.length === 0) return {}
  const speedUp = median(rounds.map((us, i) => alone[Math.min(i, alone.length - 1)] / us))
  return { speedUp, ofSpeedUp: speedUp / median(probes.map((probe, i) => peakOf(probe) / peakOf(probesAlone[i]))) }
}

export function summarise(result: TrialResult): Line[] {
  const { trial, probes, measured } = result
  const work = flops(trial)
  const traffic = bytes(trial)
  const peak = probes.length ? median(probes.map(peakOf)) : undefined
  const read = probes.length ? median(probes.map(({ readGBs }) => readGBs)) : undefined
  const peer = fastestPeer(result)
  return measured.map(({ name, rounds, answers }) => {
    const us = median(rounds)
    const cold = answers.flatMap(({ coldMs }) => coldMs ?? [])
    const added = answers.flatMap(({ addedMB }) => addedMB ?? [])
    const shares = (name: 'waiting' | 'copying') => answers.flatMap(answer => answer[name] ?? [])
    const gflops = work && work / us / 1e3
    return {
      trial: trial.name,
      driver: name,
      us,
      spread: spread(rounds),
      busy: median(answers.map(({ busy }) => busy)),
      waiting: shares('waiting').length ? median(shares('waiting')) : undefined,
      copying: shares('copying').length ? median(shares('copying')) : undefined,
      coldMs: cold.length ? median(cold) : undefined,
      addedMB: added.length ? median(added) : undefined,
      gflops,
      ofPeak: gflops && peak && gflops / peak,
      ofBandwidth: traffic && read && traffic / us / 1e3 / read,
      ratio: peer && median(peer.rounds) / us,
      ...(name === 'native-fit' ? gains(result, rounds) : {}),
    }
  })
}

/** A sentence for every contender whose check says that it did not do the same work. */
export function disagreements({ trial, measured }: TrialResult): string[] {
  const checks = measured.map(({ answers }) => answers[0].check)
  const agreed = measured.length ? median(checks) : 0
  return measured.flatMap(({ name }, i) => {
    const off = Math.abs(checks[i] - agreed)
    if (off <= toleranceOf(trial) * Math.abs(agreed)) return []
    return [`${trial.name}: ${name} did other work: its check is ${checks[i]}, the median ${agreed}`]
  })
}
