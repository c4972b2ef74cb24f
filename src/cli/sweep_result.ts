/** What `sweep` and `sweep-merge` make of ranked runs: a table, JSON, a picture. */

import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { RunOutcome, SweepResult } from '../index.js'

export interface ResultOptions {
  readonly plot?: string
  readonly json?: boolean
}

export function addResultOptions(command: Command): Command {
  return command
    .option('--plot <file>', 'the curves as SVG')
    .option('--json', 'the runs, best first, as one JSON array')
}

/** Several runs of a setting, over seeds, are shown by their means. */
export async function showResult<P>(result: SweepResult<P, RunOutcome<P>>, { plot, json }: ResultOptions) {
  if (plot !== undefined) await writeFile(plot, (await result.chart()).svg)
  const overSeeds = result.settings.length < result.runs.length
  if (json) console.log(JSON.stringify(result.rows))
  else console.log(overSeeds ? result.settingsTable() : result.table())
}
