/** `anneal sweep-merge`: the runs that shards of a sweep left in a folder, as if one process had done them. */

import { type Command, InvalidArgumentError } from 'commander'
import { type Figure, isFigure } from '../train/history.js'
import { mergeSweep } from '../train/merge_sweep.js'
import { addResultOptions, type ResultOptions, showResult } from './sweep_result.js'

interface Options extends ResultOptions {
  readonly rankBy?: Figure
}

function figure(text: string): Figure {
  if (isFigure(text)) return text
  throw new InvalidArgumentError('Expected testLoss, trainLoss, testAcc, trainAcc, or a metric such as test.f1.')
}

async function merge(dir: string, options: Options): Promise<void> {
  await showResult(await mergeSweep(dir, options.rankBy), options)
}

const help = `
All runs of the sweep must be there: where some are missing or damaged it says which ones and fails. What ranks them is
what the sweep ranks by, unless --rank-by says otherwise.

Examples:
  anneal sweep-merge study/
  anneal sweep-merge study/ --json --plot study.svg`

export function define(command: Command): void {
  addResultOptions(command.argument('<dir>', 'the folder of the runs, --dir of sweep'))
    .option('--rank-by <figure>', 'such as testAcc', figure)
    .addHelpText('after', help)
    .action(merge)
}
