/** Runs small programs against the compiled package as ranks of an MPI job, under the launchers that are there. Not a test. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe } from 'vitest'
import { sourceOf } from './program.js'

const find = (...names: string[]) =>
  names
    .flatMap(name => (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name)))
    .find(file => existsSync(file))

/** Debian's names: both may be installed side by side. */
const programs = {
  'Open MPI': find('mpirun.openmpi'),
  MPICH: find('mpiexec.mpich', 'mpiexec.hydra'),
}
export type Kind = keyof typeof programs
export const kinds = Object.keys(programs) as Kind[]

const flags: Record<Kind, string[]> = {
  'Open MPI': ['--oversubscribe', '--mca', 'btl_base_warn_component_unused', '0'],
  MPICH: [],
}
/** Open MPI does not start as root unless told twice. */
const rootAllowed = { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }

/** `describe` for a kind; skipped by name where it is not installed, unless ANNEAL_REQUIRE_MPI is set. */
export function describeMpi(kind: Kind, title: string, body: () => void): void {
  const missing = !programs[kind] && !process.env.ANNEAL_REQUIRE_MPI
  describe.skipIf(missing)(`${title} under ${kind}${missing ? ' (skipped: not installed)' : ''}`, body)
}

export interface Job {
  readonly process: ChildProcess
  /** Resolves with the first line of standard output that starts so. */
  line(start: string): Promise<string>
  readonly ended: Promise<{ code: number; stdout: string; stderr: string; seconds: number }>
}

export interface JobOptions {
  ranks: number
  env?: NodeJS.ProcessEnv
  /** More flags for the launcher. */
  flags?: string[]
  /** Runs before the package is loaded; `rank` is this rank's number. */
  before?: string
}

const rankOf = 'const rank = Number(process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK)\n'

/** Starts `code`, which finds the package as `anneal`, on every rank. */
export function startJob(kind: Kind, code: string, { ranks, env, flags: more = [], before = '' }: JobOptions): Job {
  const program = programs[kind]
  if (!program) throw new Error(`expected ${kind} to be installed, as ANNEAL_REQUIRE_MPI says`)
  const begun = performance.now()
  const node = [process.execPath, '--input-type=module', '-e', rankOf + before + sourceOf(code)]
  const job = spawn(program, [...flags[kind], ...more, '-n', String(ranks), ...node], {
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...rootAllowed, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let [stdout, stderr] = ['', '']
  const waiting: { start: string; resolve: (line: string) => void }[] = []
  const look = () => {
    for (const { start, resolve } of waiting) {
      const found = stdout
        .split('\n')
        .slice(0, -1)
        .find(line => line.startsWith(start))
      if (found !== undefined) resolve(found)
    }
  }
  job.stdout.on('data', chunk => {
    stdout += String(chunk).replaceAll('\r', '') // Open MPI gives its ranks a terminal
    look()
  })
  job.stderr.on('data', chunk => {
    stderr += chunk
  })
  return {
    process: job,
    line: start =>
      new Promise(resolve => {
        waiting.push({ start, resolve })
        look()
      }),
    ended: new Promise((resolve, reject) => {
      job.on('error', reject)
      job.on('close', code =>
        resolve({ code: code ?? -1, stdout, stderr, seconds: (performance.now() - begun) / 1000 }),
      )
    }),
  }
}

/** What the job prints, its lines in order; throws with its errors where it does not end well. */
export async function linesOf(kind: Kind, code: string, options: JobOptions): Promise<string[]> {
  const { code: exit, stdout, stderr } = await startJob(kind, code, options).ended
  if (exit !== 0) throw new Error(`the job ended with ${exit}:\n${stdout}${stderr}`)
  return stdout.trim().split('\n').sort()
}
