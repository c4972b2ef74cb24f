/** `npm run bench`: reads the request, runs the trials, prints the table, writes the files. What is measured is in trials.ts. */

import { describeMachine } from './harness/machine.js'
import { type Results, textTable, writeResults } from './harness/output.js'
import { readRequest } from './harness/request.js'
import { preparePrograms, runTrial, type TrialResult } from './harness/rounds.js'
import { disagreements, summarise } from './harness/summary.js'

async function main(argv: readonly string[]): Promise<void> {
  const { trials, contenders, threads, cpus, rounds, seconds, out } = readRequest(argv)
  const machine = describeMachine()
  const programs = preparePrograms(contenders, console.log)
  const finished: TrialResult[] = []
  for (const trial of trials) {
    const result = await runTrial(trial, programs, { threads, cpus, rounds, seconds }, console.log)
    for (const { name, reason } of result.skipped) console.log(`${trial.name}: ${name} skipped, ${reason}`)
    finished.push(result)
  }
  const lines = finished.flatMap(summarise)
  const warnings = finished.flatMap(disagreements)
  const command = `npm run bench -- ${argv.join(' ')}`
  const results: Results = {
    machine,
    settings: { threads, cpus, rounds, seconds, command },
    lines,
    warnings,
    trials: finished,
  }
  if (lines.length) console.log(`\n${textTable(lines)}`)
  for (const warning of warnings) console.log(`warning: ${warning}`)
  console.log((await writeResults(results, out)).join('\n'))
  if (warnings.length) process.exitCode = 1
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof RangeError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
