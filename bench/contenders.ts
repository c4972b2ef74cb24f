/**
 * The contenders: which program each one is, what it needs and which trials it can do. One row per contender, one file per
 * driver; adding one is a file in drivers/ and a row here. Not the runner: nothing is started here.
 */
import { featuresOf, stepOf, type Trial } from './trials.js'

export type Kind = Trial['kind']

/** TensorFlow.js: which, through which of its two ways to train, with how many of TensorFlow's threads (default: its own choice). */
export interface TfjsSettings {
  kind: 'node-gpu' | 'node' | 'wasm' | 'cpu'
  api: 'minimize' | 'layers'
  tfThreads?: number
}

export interface Contender {
  name: string
  /** What `--backends` calls it, where it is one. */
  backend?: string
  does: readonly Kind[]
  /** Ours are compared with the fastest peer; a baseline is neither. */
  role: 'ours' | 'peer' | 'baseline'
  program:
    | { python: string; modules: readonly string[] }
    | { node: string; flags?: readonly string[]; needs?: string }
    | { tfjs: TfjsSettings }
    | { cc: string; libraries: readonly string[]; debian: string }
  /** Trials with more arithmetic per step than this are skipped, so that a slow contender does not hold up the run. */
  maxFlops?: number
  /** How many threads it takes, whatever is asked for. */
  threads?: number
  /** The features (`featuresOf`) of step trials that its driver has; default: all. */
  has?: readonly string[]
}

/** What the plain perceptrons need. */
const PLAIN = ['sgd', 'relu', 'crossEntropy']

/** Both ways to train, as TensorFlow.js documents them. */
function tfjs(name: string, settings: Omit<TfjsSettings, 'api'>, maxFlops?: number): Contender[] {
  return (['minimize', 'layers'] as const).map(api => ({
    ...{
      name: `tfjs-${name}-${api}`,
      backend: settings.kind,
      role: 'peer',
      does: ['step'],
      maxFlops,
      has: [...PLAIN, 'adam'],
    },
    program: { tfjs: { ...settings, api } },
  }))
}

export const contenders: readonly Contender[] = [
  {
    name: 'native-fit',
    backend: 'native',
    role: 'ours',
    does: ['step', 'lecture', 'scaling', 'ranks', 'growth'],
    program: { node: 'native_fit' },
  },
  {
    name: 'native-fit-alone',
    backend: 'native',
    role: 'ours',
    does: ['scaling', 'ranks'],
    program: { node: 'native_fit' },
    threads: 1,
  },
  {
    name: 'native-ranks',
    backend: 'native',
    role: 'ours',
    does: ['ranks'],
    program: { node: 'native_ranks' },
  },
  {
    name: 'native-eager',
    backend: 'native',
    role: 'ours',
    does: ['step', 'lecture'],
    program: { node: 'native_eager' },
  },
  {
    name: 'native-cold',
    backend: 'native',
    role: 'ours',
    does: ['cold'],
    program: { node: 'native_cold', flags: ['--expose-gc'] },
  },
  { name: 'native-predict', backend: 'native', role: 'ours', does: ['predict'], program: { node: 'native_predict' } },
  { name: 'native-forward', backend: 'native', role: 'ours', does: ['predict'], program: { node: 'native_forward' } },
  {
    name: 'onnxruntime',
    role: 'peer',
    does: ['predict'],
    program: { node: 'onnxruntime', needs: 'onnxruntime-node' },
  },
  { name: 'native-products', backend: 'native', role: 'ours', does: ['product'], program: { node: 'native_products' } },
  {
    name: 'reference',
    backend: 'reference',
    role: 'baseline',
    does: ['step'],
    program: { node: 'reference' },
    maxFlops: 1e6,
  },
  { name: 'plain-js', role: 'baseline', does: ['step'], program: { node: 'plain_js' }, maxFlops: 1e9, has: PLAIN },
  {
    name: 'torch-eager',
    role: 'peer',
    does: ['step', 'scaling', 'ranks', 'growth'],
    program: { python: 'torch_eager', modules: ['torch', 'numpy'] },
  },
  {
    name: 'torch-compile',
    role: 'peer',
    does: ['step'],
    program: { python: 'torch_compile', modules: ['torch', 'numpy'] },
  },
  {
    name: 'torch-cold',
    role: 'peer',
    does: ['cold'],
    program: { python: 'torch_cold', modules: ['torch', 'numpy'] },
  },
  {
    name: 'torch-lecture',
    role: 'peer',
    does: ['lecture'],
    program: { python: 'torch_lecture', modules: ['torch', 'numpy'] },
  },
  {
    name: 'jax-scan',
    role: 'peer',
    does: ['step', 'scaling', 'growth'],
    program: { python: 'jax_scan', modules: ['jax', 'optax', 'numpy'] },
  },
  ...tfjs('node-gpu', { kind: 'node-gpu' }),
  ...tfjs('node-gpu-1-thread', { kind: 'node-gpu', tfThreads: 1 }),
  ...tfjs('wasm', { kind: 'wasm' }, 5e8),
  ...tfjs('cpu', { kind: 'cpu' }, 1e8),
  {
    name: 'onednn',
    role: 'peer',
    does: ['product'],
    program: { cc: 'onednn', libraries: ['dnnl'], debian: 'libdnnl-dev' },
  },
  {
    name: 'openblas',
    role: 'peer',
    does: ['product'],
    program: { cc: 'openblas', libraries: ['openblas'], debian: 'libopenblas-dev' },
  },
]

const gigaflop = (value: number) => `${value / 1e9} Gflop`

/** Why this contender sits this trial out; undefined when it takes part. */
export function unsuited(
  contender: Contender,
  trial: Trial,
  work: number | undefined,
  threads: number,
): string | undefined {
  if (!contender.does.includes(trial.kind)) return `does no ${trial.kind} trials`
  if (work !== undefined && contender.maxFlops !== undefined && work > contender.maxFlops)
    return `left out above ${gigaflop(contender.maxFlops)} per step, it would take too long`
  if (trial.kind === 'scaling' && threads === 1) return 'needs --threads of at least 2'
  const { has } = contender
  const step = stepOf(trial)
  const lacking = step && has && featuresOf(step).find(feature => !has.includes(feature))
  if (lacking) return `has no ${lacking}`
  return undefined
}
