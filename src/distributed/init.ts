/** Opens the world of this process: finds MPI, sees that all ranks run the same, and ends MPI with the process. */

import { writeSync } from 'node:fs'
import { inspect } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { checkNumber, checkOptions } from '../base/check.js'
import { AnnealError, rangeError } from '../base/errors.js'
import { addon } from '../native/addon.js'
import type { NativeWorld } from '../native/types.js'
import { agree } from './agree.js'
import { type Launcher, launcherOf } from './launcher.js'
import { World } from './world.js'

const where = 'distributed.init'
const YEAR = 31_536_000

/** What `distributed.init` takes. */
export interface InitOptions {
  /** Seconds after which a rank that is waited for counts as stalled. Default: ANNEAL_MPI_TIMEOUT, else 300. */
  timeout?: number
}

function timeoutOf({ timeout }: InitOptions): number {
  if (timeout !== undefined) return checkNumber(where, 'timeout', timeout, { above: 0, max: YEAR })
  const text = process.env.ANNEAL_MPI_TIMEOUT
  const seconds = text ? Number(text) : 300
  if (seconds > 0 && seconds <= YEAR) return seconds
  throw rangeError(where, 'ANNEAL_MPI_TIMEOUT to be seconds, more than 0 and at most a year', text)
}

function open(launcher: Launcher, timeout: number): NativeWorld {
  if (!addon.World) {
    const platform = addon.isa === 'wasm' ? 'WebAssembly' : process.platform
    throw new AnnealError(
      'ERR_UNSUPPORTED',
      `${where}: expected Linux or macOS and a native binary but received ${platform}`,
    )
  }
  try {
    return new addon.World(launcher.files, timeout)
  } catch (cause) {
    throw failure(cause as { code?: string; message: string })
  }
}

function failure(cause: { code?: string; message: string }): unknown {
  if (cause.code === 'ERR_STATE') return new AnnealError('ERR_STATE', `${where}: ${cause.message}`, { cause })
  if (cause.code !== 'ERR_MISSING_PACKAGE') return cause
  const advice =
    'install the one that the launcher belongs to (Debian: apt install openmpi-bin or mpich; macOS: brew install open-mpi ' +
    'or mpich), or name its file in ANNEAL_MPI_LIBRARY'
  const message = `${where}: expected an MPI library but received none (${cause.message}); ${advice}`
  return new AnnealError('ERR_MISSING_PACKAGE', message, { cause })
}

/** Under Open MPI's launcher each process is a world of one to MPICH, and the other way round. */
function checkSize({ variable, size }: Launcher, world: World): void {
  if (size === undefined || size === world.size) return
  const [library] = world.library.split('\n')
  throw new AnnealError(
    'ERR_STATE',
    `${where}: expected a world of ${size}, as the launcher says (${variable}), but received one of ${world.size} from ` +
      `${library!.trim()}: launcher and library are not of one kind; ANNEAL_MPI_LIBRARY names another library`,
  )
}

/**
 * Ends MPI, or the job, with this process. Node prints an uncaught error after the listeners of `exit`, which is too late
 * where they end the process.
 */
function endWithProcess(world: World): void {
  let uncaught: { error: unknown } | undefined
  process.on('uncaughtExceptionMonitor', error => {
    if (process.listenerCount('uncaughtException') === 0) uncaught = { error }
  })
  process.on('exit', code => {
    if (uncaught) writeSync(2, `${inspect(uncaught.error)}\n`)
    world.atExit(code)
  })
}

/**
 * UCX, which MPICH and Open MPI may send by, rewrites the C library's memory functions to hear of what is unmapped, and brings
 * an allocator that takes from the same heap. In a process of many threads V8 was seen to find memory of its own gone. Without
 * that, UCX does not remember what it has registered with a network card.
 */
function leaveMemoryAlone(): void {
  process.env.UCX_MEM_EVENTS ??= 'n'
}

async function start(timeout: number): Promise<World> {
  const launcher = launcherOf(process.env, process.platform)
  if (!launcher) return new World()
  if (!isMainThread) throw new AnnealError('ERR_STATE', `${where}: expected the main thread but received a worker`)
  leaveMemoryAlone()
  const world = new World(open(launcher, timeout))
  checkSize(launcher, world)
  endWithProcess(world)
  await agree(world, 'build of anneal', addon.build)
  await agree(world, 'instruction set', addon.isa)
  return world
}

let opened: Promise<World> | undefined

/**
 * The world of this process: the ranks that `mpirun -n 4 node train.js` started, or one alone where no launcher did. All
 * ranks call it; a second call gives the same world. MPI is opened here and needed nowhere else: Open MPI, MPICH and its
 * kin, or a library with MPI 5's binary interface; `ANNEAL_MPI_LIBRARY` names another file. A rank whose process ends with
 * an exit code other than 0, or during a fit, ends the job.
 *
 * Rejects with AnnealError ERR_MISSING_PACKAGE where a launcher but no library is found, ERR_UNSUPPORTED under a launcher
 * on Windows and WebAssembly, ERR_STATE in a worker and where launcher and library are not of one kind, ERR_RANKS_DIFFER
 * where ranks have another build or instruction set, naming them, and ERR_RANK_STALLED, naming those that did not answer.
 *
 * ```ts
 * const world = await distributed.init()
 * console.log(`rank ${world.rank} of ${world.size}`)
 * ```
 *
 * Like `torch.distributed.init_process_group(backend='mpi')`.
 */
export function init(options: InitOptions = {}): Promise<World> {
  try {
    checkOptions(where, options, ['timeout'])
    const timeout = timeoutOf(options)
    opened ??= start(timeout)
  } catch (error) {
    return Promise.reject(error)
  }
  return opened
}
