/**
 * Finds and loads TensorFlow.js: in the project that runs, or in tools/tfjs of a checkout after `npm run setup:tfjs`.
 * The only file that requires a package of it. Nothing of it comes with anneal.
 */

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import nodeModule from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import util from 'node:util'
import { AnnealError } from '../../base/errors.js'
import type { Tf } from './types.js'

export const kinds = ['node-gpu', 'node', 'wasm', 'cpu'] as const
/** Which TensorFlow.js: on native TensorFlow with or without a GPU, on WebAssembly, or in plain JavaScript. */
export type TfjsKind = (typeof kinds)[number]

/** TensorFlow.js under one of its names, ready to compute, and what it says of itself. */
export interface LoadedTf {
  readonly tf: Tf
  /** Under which name it registers itself in TensorFlow.js. */
  readonly registered: string
  readonly version: string
  readonly device: string
  readonly threads: number
  readonly isa: string
}

interface Source {
  readonly package: string
  readonly registered: string
  readonly describe: (tf: Tf, own: Own) => Pick<LoadedTf, 'version' | 'device' | 'threads' | 'isa'>
}

/** What is asked of a kind's own package. */
interface Own {
  readonly version: Readonly<Record<string, string>>
  /** Of tfjs-backend-wasm. */
  getThreadsCount?(): number
}

function onTensorFlow(tf: Tf, { version }: Own) {
  const { binding, isUsingGpuDevice } = tf.backend()
  return {
    version: `tfjs-node ${version['tfjs-node']}, TensorFlow ${binding?.TF_Version}`,
    device: isUsingGpuDevice ? gpuName() : 'CPU, no GPU found',
    threads: Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism(),
    isa: 'TensorFlow’s choice',
  }
}

function gpuName(): string {
  try {
    const names = execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' })
    return names.trim().split('\n').join(', ')
  } catch {
    return 'GPU'
  }
}

const sources: Readonly<Record<TfjsKind, Source>> = {
  'node-gpu': { package: '@tensorflow/tfjs-node-gpu', registered: 'tensorflow', describe: onTensorFlow },
  node: {
    package: '@tensorflow/tfjs-node',
    registered: 'tensorflow',
    describe: (tf, own) => ({ ...onTensorFlow(tf, own), device: 'CPU' }),
  },
  wasm: {
    package: '@tensorflow/tfjs-backend-wasm',
    registered: 'wasm',
    describe: (tf, own) => ({
      version: `tfjs ${tf.version.tfjs}`,
      device: 'CPU',
      threads: own.getThreadsCount?.() ?? 1,
      isa: tf.env().get('WASM_HAS_SIMD_SUPPORT') ? 'WebAssembly SIMD' : 'WebAssembly',
    }),
  },
  cpu: {
    package: '@tensorflow/tfjs',
    registered: 'cpu',
    describe: tf => ({ version: `tfjs ${tf.version.tfjs}`, device: 'CPU', threads: 1, isa: 'none' }),
  },
}

const tools = join(dirname(fileURLToPath(import.meta.url)), '../../../tools/tfjs')

function fail(kind: TfjsKind, reason: string, cause?: unknown): AnnealError {
  return new AnnealError('ERR_BACKEND', `backends.tfjs('${kind}'): ${reason}`, { cause })
}

/** What to type to have a package. */
function installAdvice(names: readonly string[]): string {
  return existsSync(tools) ? 'npm run setup:tfjs' : `npm install ${names.join(' ')}`
}

/** Resolves from the first place that has this kind. */
function resolver(kind: TfjsKind): NodeJS.Require {
  const needed = [...new Set(['@tensorflow/tfjs', sources[kind].package])]
  let missing: string[] = []
  for (const folder of [tools, process.cwd()]) {
    const require = nodeModule.createRequire(join(folder, 'package.json'))
    missing = needed.filter(name => !canResolve(require, name))
    if (missing.length === 0) return require
  }
  const expected = `expected ${missing.join(' and ')} to be installed; run: ${installAdvice(missing)}`
  throw new AnnealError('ERR_MISSING_PACKAGE', `backends.tfjs('${kind}'): ${expected}`)
}

function canResolve(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/** Fewer greetings from TensorFlow, and a function that tfjs-node 4.22 calls and Node 24 dropped. */
function prepareForTensorFlow(): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  const target = util as unknown as Record<string, unknown>
  target.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined
}

/** tfjs-node and tfjs-node-gpu register themselves under one name, so that a process can hold one of them. */
let nativeKind: TfjsKind | null = null

function checkNativeKind(kind: TfjsKind): void {
  if (sources[kind].registered !== 'tensorflow') return
  if (nativeKind && nativeKind !== kind)
    throw fail(kind, `expected a process that holds one of node and node-gpu, and this one holds ${nativeKind}`)
}

function requirePackages(kind: TfjsKind): { tf: Tf; own: Own } {
  const require = resolver(kind)
  if (sources[kind].registered === 'tensorflow') prepareForTensorFlow()
  try {
    // The union package first: it brings the gradients of all kernels, which the others do not.
    return { tf: require('@tensorflow/tfjs') as Tf, own: require(sources[kind].package) as Own }
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
    const advice = installAdvice([sources[kind].package])
    throw fail(
      kind,
      `expected ${sources[kind].package} to load but received "${reason}"; what may help: ${advice}`,
      error,
    )
  }
}

/** Loads a kind. Rejects with ERR_MISSING_PACKAGE or ERR_BACKEND, which say why and what to do. */
export async function loadTf(kind: TfjsKind): Promise<LoadedTf> {
  checkNativeKind(kind)
  const { registered, describe } = sources[kind]
  const { tf, own } = requirePackages(kind)
  tf.enableProdMode()
  if (!(await tf.setBackend(registered))) throw fail(kind, `expected ${registered} to start but it did not`)
  if (registered === 'tensorflow') nativeKind = kind
  return { tf, registered, ...describe(tf, own) }
}
