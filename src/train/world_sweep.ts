/**
 * A sweep whose runs the ranks of a world share, without a folder: every rank ends with all of them. Not here: the dealing
 * (dealt_runs.ts), a world over a folder (stored_sweep.ts).
 */

import { driveAsync } from '../base/drive.js'
import { agree } from '../distributed/agree.js'
import { gatherNumbers, type Ranks } from '../distributed/numbers.js'
import type { World } from '../distributed/world.js'
import { bytesSource } from '../io/source.js'
import { runDealt } from './dealt_runs.js'
import type { Lists } from './grid.js'
import type { Job } from './parallel_runs.js'
import { restoredRun } from './restored_run.js'
import { decodeRun, encodeRun, type SavedRun } from './run_files.js'
import type { Configuration } from './run_state.js'
import { checkedConfiguration } from './sweep_configuration.js'
import { type RunParams, rankedBy, type SweepOptions, type SweepRun } from './sweep_options.js'

/** The runs of the others: one of each rank at a time, as their files would hold them. */
async function exchange(ranks: Ranks, mine: readonly SavedRun[]): Promise<SavedRun[]> {
  const others: SavedRun[] = []
  const rounds = Math.max(...(await gatherNumbers(ranks, [mine.length])).flat())
  for (let round = 0; round < rounds; round++) {
    const bytes = Buffer.concat(round < mine.length ? encodeRun(mine[round]) : [])
    const lengths = (await gatherNumbers(ranks, [bytes.length])).flat()
    const longest = Math.max(...lengths)
    const padded = new Uint8Array(longest)
    padded.set(bytes)
    const all = await ranks.gather(padded)
    for (const [rank, length] of lengths.entries()) {
      if (rank === ranks.rank || length === 0) continue
      const told = all.subarray(rank * longest, rank * longest + length)
      others.push(await driveAsync(decodeRun(bytesSource(`rank ${rank}`, told))))
    }
  }
  return others
}

/** All runs in the order of the grid. */
export async function sweepOverRanks<P extends object>(
  world: World,
  options: SweepOptions<P>,
  lists: Lists,
  jobs: readonly Job<SweepRun<P>>[],
  all: readonly RunParams<P>[],
): Promise<SweepRun<P>[]> {
  await agreeOnSweep(world, await driveAsync(checkedConfiguration(options, lists, all)))
  const mine = await runDealt(world, 'sweep', jobs, options.signal, options.onRun)
  const others = await exchange(
    world,
    mine.map(run => savedOf(options, run)),
  )
  const restored = others.map(run => restoredRun(options, all[run.index], run, () => run))
  return [...mine, ...restored].sort((a, b) => a.index - b.index)
}

/** What the others need of a run; that it is of this sweep, they know. */
function savedOf<P extends object>(
  options: SweepOptions<P>,
  { index, history, model, optimizer }: SweepRun<P>,
): SavedRun {
  const state = { model: model.stateDict(), optimizer: optimizer.stateDict() }
  return { index, history, sweep: {}, run: {}, rankedBy: rankedBy(options), ...state }
}

/** Throws ERR_RANKS_DIFFER with what is not the same on all ranks, and on which. */
export async function agreeOnSweep(world: World, configuration: Configuration): Promise<void> {
  await agree(world, 'names of options', JSON.stringify(Object.keys(configuration)))
  for (const [name, text] of Object.entries(configuration)) await agree(world, name, text)
}

/** What is left to any of the ranks: files may come into sight of one before another. */
export async function unionOf(ranks: Ranks, indices: readonly number[]): Promise<number[]> {
  const longest = Math.max(...(await gatherNumbers(ranks, [indices.length])).flat())
  const padded = Array.from({ length: longest }, (_, i) => indices[i] ?? -1)
  const union = new Set((await gatherNumbers(ranks, padded)).flat())
  return [...union].filter(index => index >= 0).sort((a, b) => a - b)
}
