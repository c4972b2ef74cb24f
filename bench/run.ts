/** `npm run bench`: reads the request, runs the trials or the suites, prints the table, writes the files. */

import { report } from 'anneal'
import { describeMachine } from './harness/machine.js'
import { type Results, textTable, writeResults } from './harness/output.js'
import { type Request, readRequest } from './harness/request.js'
import { preparePrograms, runTrial, type TrialResult } from './harness/rounds.js'
import { disagreements, summarise } from './harness/summary.js'

async function inOneProcess(suites: readonly string[], request: Request, command: string): Promise<void> {
  const { runSuites } = await import('./suites.js')
  const { rows, files } = await runSuites({ ...request, suites, command }, console.log)
  console.log(`\n${report.textTable(rows)}\n${files.join('\n')}`)
}

async function inProcesses({ trials, contenders, threads, cpus, rounds, seconds, out }: Request, command: string) {
  const machine = describeMachine()
  console.log(`${machine.cpu} (${machine.cpuClass})`)
  const programs = preparePrograms(contenders, console.log)
  const finished: TrialResult[] = []
  for (const trial of trials) {
    const result = await runTrial(trial, programs, { threads, cpus, rounds, seconds }, console.log)
    for (const { name, reason } of result.skipped) console.log(`${trial.name}: ${name} skipped, ${reason}`)
    finished.push(result)
  }
  const lines = finished.flatMap(summarise)
  const warnings = finished.flatMap(disagreements)
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
  const argv = process.argv.slice(2)
  const command = `npm run bench -- ${argv.join(' ')}`
  const request = readRequest(argv)
  if (request.suites) await inOneProcess(request.suites, request, command)
  else await inProcesses(request, command)
} catch (error) {
  if (!(error instanceof RangeError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
