/**
 * What the environment says of the program that started this process: whether it is one of several ranks, and which MPI
 * libraries fit. Reads variables; opens nothing.
 */

type Environment = Readonly<Record<string, string | undefined>>

type Kind = 'openMpi' | 'mpich'

/** A launcher, told by the variable that it sets. */
interface Sign {
  readonly variable: string
  readonly kinds: readonly Kind[]
  /** Whether the variable is the number of ranks. */
  readonly counts: boolean
}

/** mpirun of Open MPI; Hydra's mpiexec, Intel's and Cray's; MVAPICH's; srun and PMIx, which start ranks of either kind. */
const signs: readonly Sign[] = [
  { variable: 'OMPI_COMM_WORLD_SIZE', kinds: ['openMpi'], counts: true },
  { variable: 'PMI_SIZE', kinds: ['mpich'], counts: true },
  { variable: 'MV2_COMM_WORLD_SIZE', kinds: ['mpich'], counts: true },
  { variable: 'MVP_COMM_WORLD_SIZE', kinds: ['mpich'], counts: true },
  { variable: 'PMI_RANK', kinds: ['mpich'], counts: false },
  { variable: 'MPI_LOCALNRANKS', kinds: ['mpich'], counts: false },
  { variable: 'SLURM_STEP_NUM_TASKS', kinds: ['openMpi', 'mpich'], counts: true },
  { variable: 'PMIX_RANK', kinds: ['openMpi', 'mpich'], counts: false },
]

/** By the names that linkers of Linux and macOS know, newest first. */
const libraries: Readonly<Record<'linux' | 'darwin', Readonly<Record<Kind | 'standard', readonly string[]>>>> = {
  linux: {
    openMpi: ['libmpi.so.40', 'libmpi.so.20', 'libmpi.so.80'],
    mpich: ['libmpich.so.12', 'libmpi.so.12', 'libmpi_cray.so.12'],
    standard: ['libmpi_abi.so.0', 'libmpi_abi.so.1', 'libmpi_abi.so'],
  },
  darwin: {
    openMpi: ['libmpi.40.dylib', '/opt/homebrew/lib/libmpi.40.dylib', '/usr/local/lib/libmpi.40.dylib'],
    mpich: ['libmpi.12.dylib', '/opt/homebrew/lib/libmpi.12.dylib', '/usr/local/lib/libmpi.12.dylib'],
    standard: ['libmpi_abi.0.dylib', 'libmpi_abi.dylib'],
  },
}

export interface Launcher {
  /** The variable that it is told by. */
  readonly variable: string
  /** How many ranks it says it has started; undefined where it does not say. */
  readonly size: number | undefined
  /** The MPI libraries to try, those of its own kind first. */
  readonly files: string[]
}

/** The launcher of this process; undefined where nothing tells of one. */
export function launcherOf(environment: Environment, platform: string): Launcher | undefined {
  const sign = signs.find(({ variable }) => environment[variable])
  if (!sign) return undefined
  const chosen = environment.ANNEAL_MPI_LIBRARY
  const known = libraries[platform === 'darwin' ? 'darwin' : 'linux']
  const kinds = new Set<Kind | 'standard'>([...sign.kinds, 'standard', 'openMpi', 'mpich'])
  return {
    variable: sign.variable,
    size: sign.counts ? Number(environment[sign.variable]) : undefined,
    files: chosen ? [chosen] : [...kinds].flatMap(kind => known[kind]),
  }
}
