/** Which part of a study this process does, as it is told or as Slurm and Kubernetes say. Not here: the study (sweep.ts). */

import { checkInt, checkOptions } from '../base/check.js'
import { rangeError } from '../base/errors.js'

/** Part `index` of `count`: the runs whose index leaves the rest `index` when divided by `count`. */
export interface Shard {
  /** From 0. */
  readonly index: number
  /** Parts in all. */
  readonly count: number
}

/** The only shard. */
export const whole: Shard = { index: 0, count: 1 }

type Environment = Readonly<Record<string, string | undefined>>

/** The whole number that a variable holds; undefined where it is not set. */
function numberIn(where: string, environment: Environment, name: string): number | undefined {
  const text = environment[name]
  if (text === undefined || text === '') return undefined
  if (!/^\d{1,15}$/.test(text)) throw rangeError(where, `${name} to be a whole number`, text)
  return Number(text)
}

/**
 * The place of a Slurm task in its array. IDs need not begin at 0 nor follow each other (`--array=1-31:2`); where gaps are
 * not equal (`--array=1,2,9`), a task knows how many there are but not which of them it is.
 */
function slurmShard(where: string, environment: Environment): Shard | undefined {
  const [id, min, max, step, count] = ['ID', 'MIN', 'MAX', 'STEP', 'COUNT'].map(name =>
    numberIn(where, environment, `SLURM_ARRAY_TASK_${name}`),
  )
  if (id === undefined) return undefined
  if (count === 1) return { index: 0, count }
  const [index, last] = [min, max].map(bound => Math.abs(id - bound!) / step!)
  if (Number.isInteger(index) && index + last === count! - 1) return { index, count: count! }
  const received = `task ${id} of ${count}, from ${min} to ${max} by ${step}`
  throw rangeError(where, 'shard to be given where a Slurm array does not say which of its tasks this is,', received)
}

/** The task's own number, whatever it is counted from. */
function taskNumber(where: string, environment: Environment): number | undefined {
  const names = ['SLURM_ARRAY_TASK_ID', 'JOB_COMPLETION_INDEX']
  return names.map(name => numberIn(where, environment, name)).find(number => number !== undefined)
}

function toldShard(where: string, environment: Environment): Shard {
  const slurm = slurmShard(where, environment)
  if (slurm) return slurm
  if (numberIn(where, environment, 'JOB_COMPLETION_INDEX') === undefined) return whole
  throw rangeError(where, 'shard.count to be given, as JOB_COMPLETION_INDEX does not say of how many', undefined)
}

/**
 * The shard that is given; where only `count` is, `index` is SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX. Where nothing is
 * given, the place of a Slurm task in its array, else the only shard. Throws TypeError or RangeError for options, and
 * RangeError where the environment says that there are several but not which one this is.
 */
export function shardOf(where: string, given: Partial<Shard> | undefined, environment: Environment): Shard {
  if (given === undefined) return toldShard(where, environment)
  checkOptions(where, given, ['index', 'count'])
  const count = checkInt(where, 'shard.count', given.count, { min: 1 })
  const index = given.index ?? taskNumber(where, environment)
  return { index: checkInt(where, 'shard.index', index, { min: 0, max: count - 1 }), count }
}

/** Whether the shard has the run. */
export const isOf = ({ index, count }: Shard, run: number): boolean => run % count === index
