/** Starts one driver in a process of its own, pinned as a whole, and reads its answer: the last line, as JSON. */
import { spawn, spawnSync } from 'node:child_process'
import type { DriverAnswer } from '../drivers/driver.js'
import { type Command, compileCc } from './programs.js'

export interface Placement {
  threads: number
  cpus: readonly number[]
}

const TIMEOUT_MS = 600_000
const hasTaskset = spawnSync('taskset', ['--version']).status === 0

/** The variables by which the libraries take their thread count. JAX has none: it takes the processors it is pinned to. */
function environment(threads: number): NodeJS.ProcessEnv {
  const names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS']
  return { ...process.env, ...Object.fromEntries(names.map(name => [name, String(threads)])) }
}

/** The command behind `taskset`, so that every thread the process ever starts stays on these processors. */
export function pinned({ file, args }: Command, cpus: readonly number[]): Command {
  if (!hasTaskset || cpus.length === 0) return { file, args }
  return { file: 'taskset', args: ['-c', cpus.join(','), file, ...args] }
}

/** What was printed last, parsed; an error with the end of stderr where a driver failed. */
export async function runCommand<T>(command: Command, placement: Placement): Promise<T> {
  const { file, args } = pinned(command, placement.cpus)
  const child = spawn(file, args, { env: environment(placement.threads), stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => (stdout += chunk))
  child.stderr.on('data', chunk => (stderr += chunk))
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  clearTimeout(timer)
  const reason = stderr.trim().split('\n').slice(-3).join(' | ')
  if (code !== 0) throw new Error(`exit ${code ?? 'by signal'}: ${reason}`)
  return JSON.parse(stdout.trim().split('\n').pop() ?? '')
}

export function runDriver(command: Command, placement: Placement): Promise<DriverAnswer> {
  return runCommand(command, placement)
}

/** The limits of these processors at this moment. */
export interface Probe {
  /** fp32 FMA peak per instruction set. */
  gflops: Record<string, number>
  readGBs: number
  axpyGBs: number
}

/** Measures each limit for some seconds; undefined, with the reason on the console, where there is no compiler. */
export async function probeMachine(
  placement: Placement,
  seconds: number,
  tell: (line: string) => void,
): Promise<Probe | undefined> {
  const built = compileCc('machine_probe')
  if ('missing' in built) return void tell(`machine probe: skipped, ${built.missing}`)
  return runCommand({ file: built.binary, args: [placement.threads, seconds].map(String) }, placement)
}

/** The highest peak of any instruction set this processor has. */
export const peakOf = ({ gflops }: Probe) => Math.max(0, ...Object.values(gflops))
