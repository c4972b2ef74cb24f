/**
 * Everything that is exported, as calls: functions, constructors and methods found by themselves, with valid arguments
 * where a table has them. Not here: which values are tried (hostile_values.ts).
 */

import { readdirSync, readFileSync } from 'node:fs'
import * as callbacks from '../../src/callbacks/index.js'
import * as data from '../../src/data/index.js'
import * as lrScheduler from '../../src/lr_scheduler/index.js'
import * as metrics from '../../src/metrics/index.js'
import * as nn from '../../src/nn/index.js'
import * as optim from '../../src/optim/index.js'
import * as preprocessing from '../../src/preprocessing/index.js'
import * as random from '../../src/random/index.js'
import * as report from '../../src/report/index.js'
import { noGrad, ops, Tensor, tensor } from '../../src/tensor/index.js'
import { compile } from '../../src/train/compile.js'
import { evaluate, predict } from '../../src/train/evaluate.js'
import { fit } from '../../src/train/fit.js'
import { lrFind } from '../../src/train/lr_find.js'
import { summary } from '../../src/train/summary.js'
import type { Subject } from './walker.js'

type Args = () => unknown[]

const x = () =>
  tensor(
    [
      [1, 2],
      [3, 5],
    ],
    { requiresGrad: true },
  )
const labels = () => tensor([0, 1], { dtype: 'int32' })
const parameter = () =>
  tensor(
    [
      [1, 2],
      [3, 5],
    ],
    { requiresGrad: true },
  )
const model = () => new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2))
const dataset = () => new data.TensorDataset(x().detach(), labels())
const sgd = () => new optim.SGD([parameter()], { lr: 0.1, momentum: 0.9 })
const dict = (optimizer: optim.Optimizer) => ({ ...optimizer.stateDict() })

/** Options that a schedule cannot be made without. */
const schedules: Record<string, object> = {
  StepLR: { stepSize: 2, gamma: 0.5, lastEpoch: -1 },
  MultiStepLR: { milestones: [2] },
  ConstantLR: { factor: 0.5, totalIters: 3 },
  LinearLR: { startFactor: 0.5, endFactor: 1, totalIters: 3 },
  ExponentialLR: { gamma: 0.9 },
  PolynomialLR: { totalIters: 4, power: 2 },
  CosineAnnealingLR: { tMax: 4, etaMin: 0 },
  LambdaLR: { lrLambda: () => 1 },
  MultiplicativeLR: { lrLambda: () => 1 },
  CosineAnnealingWarmRestarts: { t0: 2, tMult: 2, etaMin: 0 },
  CyclicLR: { baseLr: 0.1, maxLr: 0.2, stepSizeUp: 2, mode: 'triangular', scaleFn: null, cycleMomentum: true },
  OneCycleLR: { maxLr: 0.1, totalSteps: 20, epochs: null, stepsPerEpoch: null, pctStart: 0.3, divFactor: 25 },
  ReduceLROnPlateau: { mode: 'min', factor: 0.1, patience: 1, threshold: 0, cooldown: 0, minLr: 0, eps: 0 },
  SWALR: { swaLr: 0.05, annealEpochs: 3, annealStrategy: 'cos' },
  WarmupLR: { steps: 3, mode: 'linear', startFactor: 0.1, schedule: null, param: 'lr', groups: null },
  WarmupStableDecayLR: { totalSteps: 20, warmupSteps: 3, decaySteps: 5 },
  REXLR: { totalSteps: 20 },
  NoamLR: { dModel: 16, warmupSteps: 4 },
  InverseSqrtLR: { warmupSteps: 4 },
  InverseTimeLR: { k: 0.5 },
  LinearToZeroLR: { totalSteps: 20, warmupSteps: 3 },
}

/** Valid arguments by name; what is not here is called with none but the hostile value. */
const valid: Record<string, Args> = {
  tensor: () => [[1, 2], { shape: [2], dtype: 'float32', requiresGrad: false }],
  noGrad: () => [() => 1],
  'new Tensor': () => [[1], 'float32', new Float32Array(1)],
  'Tensor.backward': () => [
    tensor([
      [1, 1],
      [1, 1],
    ]),
  ],
  'new nn.Linear': () => [2, 2, { bias: true }],
  'new nn.BatchNorm1d': () => [2, { eps: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true }],
  'new nn.LayerNorm': () => [[2], { eps: 1e-5, elementwiseAffine: true, bias: true }],
  'new nn.Embedding': () => [4, 2, { paddingIdx: 0 }],
  'new nn.Dropout': () => [{ p: 0.5 }],
  'new nn.Flatten': () => [{ startDim: 1, endDim: -1 }],
  'new nn.Sequential': () => [new nn.ReLU(), new nn.ReLU()],
  'new nn.Parameter': () => [tensor([1]), true],
  'new nn.LeakyReLU': () => [{ negativeSlope: 0.1 }],
  'new nn.ELU': () => [{ alpha: 1 }],
  'new nn.GELU': () => [{ approximate: 'tanh' }],
  'new nn.Softplus': () => [{ beta: 1, threshold: 20 }],
  'new nn.Softmax': () => [{ dim: 1 }],
  'new nn.LogSoftmax': () => [{ dim: 1 }],
  'new nn.Bilinear': () => [2, 2, 2, { bias: true }],
  'new nn.EmbeddingBag': () => [4, 2, { mode: 'sum', paddingIdx: 0 }],
  'new nn.GroupNorm': () => [1, 2, { eps: 1e-5, affine: true }],
  'new nn.RMSNorm': () => [[2], { eps: 1e-5, elementwiseAffine: true }],
  'new nn.PReLU': () => [{ numParameters: 2, init: 0.25 }],
  'new nn.Hardtanh': () => [{ minVal: -1, maxVal: 1 }],
  'new nn.CosineSimilarity': () => [{ dim: 1, eps: 1e-8 }],
  'new nn.KLDivLoss': () => [{ reduction: 'batchmean', logTarget: true }],
  'new nn.PoissonNLLLoss': () => [{ logInput: true, full: true, eps: 1e-8, reduction: 'sum' }],
  'new nn.MultiLabelSoftMarginLoss': () => [{ weight: null, reduction: 'sum' }],
  'new nn.MarginRankingLoss': () => [{ margin: 1, reduction: 'sum' }],
  'new nn.CosineEmbeddingLoss': () => [{ margin: 0.5, reduction: 'sum' }],
  'new nn.TripletMarginLoss': () => [{ margin: 1, p: 2, eps: 1e-6, swap: true, reduction: 'sum' }],
  'new nn.GaussianNLLLoss': () => [{ full: true, eps: 1e-6, reduction: 'sum' }],
  'ops.clamp': () => [x(), -1, 1],
  'ops.expand': () => [x(), [1, 2, 2]],
  'ops.flip': () => [x(), [0]],
  'ops.gather': () => [x(), 1, tensor([[0], [1]])],
  'ops.indexAdd': () => [x(), 0, labels(), x()],
  'ops.indexSelect': () => [x(), 0, labels()],
  'ops.narrow': () => [x(), 1, 0, 1],
  'ops.norm': () => [x(), 2, 1, { keepdim: true }],
  'ops.permute': () => [x(), [1, 0]],
  'ops.select': () => [x(), 1, 0],
  'ops.split': () => [x(), 1, 0],
  'ops.chunk': () => [x(), 2, 0],
  'ops.var': () => [x(), 1, { correction: 1, keepdim: true }],
  'ops.where': () => [labels(), x(), x()],
  'new nn.CrossEntropyLoss': () => [{ weight: null, labelSmoothing: 0.1, ignoreIndex: -100, reduction: 'mean' }],
  'new nn.NLLLoss': () => [{ weight: null, ignoreIndex: -100, reduction: 'mean' }],
  'new nn.SmoothL1Loss': () => [{ beta: 1, reduction: 'sum' }],
  'new nn.HuberLoss': () => [{ delta: 1, reduction: 'sum' }],
  'new nn.BCELoss': () => [{ weight: null, reduction: 'none' }],
  'new nn.BCEWithLogitsLoss': () => [{ weight: null, posWeight: null, reduction: 'none' }],
  'nn.init.calculateGain': () => ['relu', 0.1],
  'nn.init.constant_': () => [x().detach(), 1],
  'nn.init.sparse_': () => [x().detach(), 0.5, { std: 1, generator: null }],
  'nn.init.uniform_': () => [x().detach(), { a: 0, b: 1, generator: null }],
  'nn.init.normal_': () => [x().detach(), { mean: 0, std: 1, generator: null }],
  'nn.init.truncNormal_': () => [x().detach(), { mean: 0, std: 1, a: -2, b: 2, generator: null }],
  'nn.init.kaimingUniform_': () => [x().detach(), { a: 0, mode: 'fanIn', nonlinearity: 'relu', generator: null }],
  'nn.init.kaimingNormal_': () => [x().detach(), { a: 0, mode: 'fanIn', nonlinearity: 'relu' }],
  'nn.init.xavierUniform_': () => [x().detach(), { gain: 1, generator: null }],
  'nn.init.xavierNormal_': () => [x().detach(), { gain: 1, generator: null }],
  'nn.init.orthogonal_': () => [x().detach(), { gain: 1, generator: null }],
  'nn.utils.clipGradNorm': () => [[x()], 1],
  'nn.utils.clipGradValue': () => [[x()], 1],
  'new optim.AveragedModel': () => [model(), { avgFn: undefined, multiAvgFn: undefined, useBuffers: false }],
  'new optim.Optimizer': () => [optim.SGD.rule, [parameter()], {}],
  'optim.updateBn': () => [[x().detach()], model()],
  'optim.getEmaAvgFn': () => [0.9],
  'optim.getEmaMultiAvgFn': () => [0.9],
  'new optim.LBFGS': () => [[parameter()], { lr: 1, maxIter: 2, maxEval: 3, historySize: 2, lineSearchFn: null }],
  'lrScheduler.fromJSON': () => [sgd(), JSON.parse(JSON.stringify(new lrScheduler.StepLR(sgd(), { stepSize: 2 })))],
  'new lrScheduler.SequentialLR': () => {
    const o = sgd()
    return [
      o,
      {
        schedulers: [new lrScheduler.StepLR(o, { stepSize: 2 }), new lrScheduler.ConstantLR(o)],
        milestones: [2],
        lastEpoch: -1,
      },
    ]
  },
  'new lrScheduler.ChainedScheduler': () => [[new lrScheduler.StepLR(sgd(), { stepSize: 2 })]],
  'random.manualSeed': () => [0],
  'random.rand': () => [[2], { generator: null, requiresGrad: false }],
  'random.randn': () => [[2], { generator: null, requiresGrad: false }],
  'random.randint': () => [0, 5, [2], { generator: null }],
  'random.randperm': () => [4, { generator: null }],
  'new random.Generator': () => [0],
  'new random.RandomState': () => [0],
  'new data.TensorDataset': () => [x().detach(), labels()],
  'new data.Subset': () => [dataset(), [0, 1]],
  'new data.DataLoader': () => [dataset(), { batchSize: 1, shuffle: true, dropLast: false, generator: null }],
  'new data.SequentialSampler': () => [[1, 2, 3]],
  'new data.SubsetRandomSampler': () => [[0, 1], { generator: null }],
  'new data.WeightedRandomSampler': () => [[1, 2], 2, { replacement: true, generator: null }],
  'data.kFold': () => [4, { nSplits: 2, shuffle: true, randomState: 0 }],
  'data.stratifiedKFold': () => [[0, 1, 0, 1], { nSplits: 2, shuffle: true, randomState: 0 }],
  'data.groupKFold': () => [[0, 1, 0, 1], { nSplits: 2, shuffle: false, randomState: null }],
  'data.readTable': () => [
    Buffer.from('a,b\n1,x\n'),
    { format: 'csv', columns: {}, missing: [''], delimiter: ',', header: true },
  ],
  'data.tableFrom': () => [[{ a: 1 }], { columns: {} }],
  'new preprocessing.ColumnTransformer': () => [
    [['numbers', new preprocessing.StandardScaler(), [0, 1]]],
    { remainder: 'drop' },
  ],
  'new preprocessing.LabelEncoder': () => [],
  'new preprocessing.Pipeline': () => [{ steps: [new preprocessing.StandardScaler()] }],
  'preprocessing.makePipeline': () => [new preprocessing.StandardScaler(), new preprocessing.MinMaxScaler()],
  'preprocessing.fromJSON': () => [new preprocessing.StandardScaler().fit(x().detach()).toJSON()],
  'data.randomSplit': () => [dataset(), [1, 1], { generator: null }],
  'data.trainTestSplit': () => [
    [1, 2, 3, 4],
    { testSize: 0.5, trainSize: 0.5, shuffle: true, randomState: 0, stratify: null },
  ],
  'data.trainTestIndices': () => [4, { testSize: 0.5, shuffle: true, randomState: 0, stratify: null }],
}

/** Instances whose methods are called. */
const instances: Record<string, () => object> = {
  Tensor: () => x().mul(2),
  'nn.Linear': () => new nn.Linear(2, 2),
  'nn.Sequential': model,
  'nn.BatchNorm1d': () => new nn.BatchNorm1d(2),
  'optim.AveragedModel': () => new optim.AveragedModel(model()),
  'random.Generator': () => new random.Generator(0),
  'random.RandomState': () => new random.RandomState(0),
  'data.Table': () => data.tableFrom([{ a: 1, b: 'x' }]) as object,
  'data.TensorDataset': dataset,
  'data.Subset': () => new data.Subset(dataset(), [0, 1]),
  'data.DataLoader': () => new data.DataLoader(dataset(), { batchSize: 1 }),
}

/** Of methods: those of all modules, optimizers and schedules under one name. */
const methods: Record<string, Args> = {
  loadStateDict: () => [{}],
  addParamGroup: () => [{ params: [parameter()], lr: 0.1 }],
  preview: () => [3, [1, 1]],
  forward: () => [x()],
}

/** Arguments of every metric on labels, scores or numbers; of every transformer. */
const byRoom: Record<string, Args> = {
  metrics: () => [[0, 1, 1, 0], [0, 1, 0, 0], {}],
  preprocessing: () => [{}],
}

const source = new URL('../../src/', import.meta.url)
const marked = /@internal(?:(?!\*\/)[\s\S])*\*\/\s*(?:(?:override|abstract|protected|async|get) )*\*?(\w+)\s*[(<]/g

/** Methods that are marked as internal where they are declared, and what JavaScript itself calls. */
const internal = new Set([
  'constructor',
  ...readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .flatMap(file => [...readFileSync(new URL(file, source), 'utf8').matchAll(marked)].map(([, name]) => name)),
])

/** Protected in TypeScript: what subclasses give to the classes that they extend. */
const hooks =
  /^(?:constructor|#|_)|^(?:snapshot|stateOf|readState|emitUpdate|check|rewind|begin|enter|advance|skipUnchanged|takeUp|ownKeys|drives|join|next|closedForm|flatAfter|prepare|extraState|ownState|move|moveTo|writeInitial|initialValues|values|factor|base|registerBuffer|cycle|rise|scale|cycled|listOf|at|anneal|limit|writeLimits|moveInto|checkParts|acquire|release|drawAs|permute|permuteSeeded|permuteEpochs|replacedBy|epochOrder|epochOrders|endEpoch|betaOf|share|isComplete|switchTo|batchesFrom|orderFrom|adopt|columns|fitFrame|checkFeatures|checkFitted|feed|transformFrame|inverseFrame|learn|learnMore|apply|restore|forwardOf|inverseOf|onnx\w*|\w*Frame)$/

const isClass = (value: unknown): value is new (...args: unknown[]) => object =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))

const isAbstract = new Set([
  'data.StreamTable', // comes from data.streamTable
  'preprocessing.Transformer',
  'nn.Module',
  'nn.Loss',
  'optim.ScheduleFree',
  'lrScheduler.LRScheduler',
  'lrScheduler.CountedLR',
  'lrScheduler.FactorLR',
])

function defaultArgs(name: string): Args {
  const [, room, key] = /(?:new )?(\w+)\.(\w+)$/.exec(name) ?? []
  if (valid[name]) return valid[name]
  if (room === 'optim' && name.startsWith('new ')) return () => [[parameter()], optionsOf(key)]
  if (room === 'lrScheduler' && schedules[key]) return () => [sgd(), { ...schedules[key] }]
  if (byRoom[room]) return byRoom[room]
  if (room === 'init') return () => [x().detach()]
  if (room === 'ops' || room === 'Tensor') return () => (room === 'ops' ? [x()] : [])
  return () => []
}

/** Every option of an optimizer with its default. */
function optionsOf(name: string): Record<string, unknown> {
  const { rule } = Object.entries(optim).find(([key]) => key === name)![1] as unknown as typeof optim.SGD
  return Object.fromEntries(Object.entries(rule.options).map(([key, option]) => [key, option.default]))
}

function methodsOf(name: string, make: () => object): Subject[] {
  const found = new Map<string, Subject>()
  for (let proto = Object.getPrototypeOf(make()); proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
    for (const key of Object.getOwnPropertyNames(proto)) {
      const { value } = Object.getOwnPropertyDescriptor(proto, key)!
      if (typeof value !== 'function' || internal.has(key) || hooks.test(key) || found.has(key)) continue
      const call = (args: unknown[]) => {
        const object = make() as Record<string, (...args: unknown[]) => unknown>
        return object[key](...args)
      }
      found.set(key, {
        name: `${name}.${key}`,
        call,
        arity: value.length,
        args: valid[`${name}.${key}`] ?? (Object.hasOwn(methods, key) ? methods[key] : () => []),
      })
    }
  }
  return [...found.values()]
}

function subjectsOf(room: string, exported: object): Subject[] {
  return Object.entries(exported).flatMap(([key, value]) => {
    const name = `${room}.${key}`
    if (typeof value === 'object' && value !== null && Object.values(value).some(v => typeof v === 'function'))
      return value[Symbol.toStringTag as never] === 'Module' ? subjectsOf(name, value) : []
    if (typeof value !== 'function' || isAbstract.has(name)) return []
    if (!isClass(value))
      return [{ name, arity: value.length, args: defaultArgs(name), call: (args: unknown[]) => value(...args) }]
    const Class = value
    const args = defaultArgs(`new ${name}`)
    const make = instances[name] ?? (() => new Class(...args()))
    return [
      { name: `new ${name}`, arity: Class.length, args, call: (list: unknown[]) => new Class(...list) },
      ...methodsOf(name, make),
    ]
  })
}

/** Loading a state dict with each of its entries in turn replaced, at the top and one level below. */
function dictSubjects(): Subject[] {
  const optimizers = Object.entries(optim).filter(
    ([name, value]) => isClass(value) && 'rule' in value && name !== 'Optimizer',
  )
  return optimizers.flatMap(([name, value]) => {
    const make = () => {
      const p = parameter()
      const optimizer = new (value as unknown as typeof optim.SGD)([p], optionsOf(name) as never)
      p.mul(p).sum().backward()
      optimizer.step()
      return optimizer
    }
    const into = (part: (d: ReturnType<typeof dict>) => object, name: string): Subject => ({
      name,
      args: () => [{ ...part(dict(make())) }],
      call: ([changed]) => {
        const optimizer = make()
        const saved = dict(optimizer)
        Object.assign(part(saved), changed as object)
        optimizer.loadStateDict(saved)
      },
    })
    return [
      {
        name: `optim.${name}.loadStateDict (whole)`,
        args: () => [dict(make())],
        call: ([saved]) => make().loadStateDict(saved as never),
      },
      into(d => d.param_groups[0], `optim.${name}.loadStateDict (group)`),
      into(d => d.state[0] ?? {}, `optim.${name}.loadStateDict (state)`),
    ]
  })
}

function scheduleDicts(): Subject[] {
  return Object.entries(schedules).map(([name, options]) => {
    const make = () => {
      const Class = Object.entries(lrScheduler).find(
        ([key]) => key === name,
      )![1] as unknown as typeof lrScheduler.StepLR
      return new Class(sgd(), { ...options } as never)
    }
    return {
      name: `lrScheduler.${name}.loadStateDict (whole)`,
      args: () => [make().stateDict()],
      call: ([saved]) => make().loadStateDict(saved as never),
    }
  })
}

const loader = () => new data.DataLoader(dataset(), { batchSize: 2 })

/** A model and all that trains it. */
function trainer() {
  const net = model()
  return { net, loss: new nn.CrossEntropyLoss(), optimizer: new optim.SGD(net.parameters(), { lr: 0.1 }) }
}

/** What a user calls to train, the hostile values among its options. */
const training: readonly Subject[] = [
  {
    name: 'fit',
    args: () => {
      const { net, loss, optimizer } = trainer()
      const scheduler = new lrScheduler.StepLR(optimizer, { stepSize: 2 })
      const options = { accumulate: 1, clipGradNorm: 1, threads: 1, callbacks: [], metrics: ['accuracy'] }
      return [
        net,
        {
          train: loader(),
          test: loader(),
          loss,
          optimizer,
          scheduler,
          epochs: 1,
          monitor: 'testLoss',
          signal: AbortSignal.timeout(200),
          ...options,
        },
      ]
    },
    call: args => fit(...(args as Parameters<typeof fit>)),
  },
  {
    name: 'lrFind',
    args: () => {
      const { net, loss, optimizer } = trainer()
      return [
        net,
        {
          train: loader(),
          loss,
          optimizer,
          minLr: 1e-3,
          maxLr: 1,
          steps: 4,
          smoothing: 0.9,
          signal: AbortSignal.timeout(200),
        },
      ]
    },
    call: args => lrFind(...(args as Parameters<typeof lrFind>)),
  },
  {
    name: 'evaluate',
    args: () => [model(), loader(), new nn.CrossEntropyLoss()],
    call: args => evaluate(...(args as Parameters<typeof evaluate>)),
  },
  {
    name: 'predict',
    args: () => [model(), x().detach(), { batchSize: 1 }],
    call: args => predict(...(args as Parameters<typeof predict>)),
  },
  {
    name: 'compile',
    args: () => {
      const { net, loss, optimizer } = trainer()
      return [net, loss, optimizer, { batchSize: 2, inputs: [{ shape: [2], dtype: 'float32' }] }]
    },
    call: args => compile(...(args as Parameters<typeof compile>)),
  },
  {
    name: 'nn.summary',
    args: () => [model(), { inputs: [[2]] }],
    call: args => summary(...(args as Parameters<typeof summary>)),
  },
]

export const subjects: readonly Subject[] = [
  { name: 'tensor', args: valid.tensor, call: args => tensor(...(args as [never])) },
  { name: 'noGrad', args: valid.noGrad, call: args => noGrad(...(args as [never])) },
  ...subjectsOf('ops', ops),
  { name: 'new Tensor', args: valid['new Tensor'], call: args => new Tensor(...(args as [never, never, never])) },
  ...methodsOf('Tensor', instances.Tensor),
  ...subjectsOf('nn', nn),
  ...subjectsOf('optim', optim),
  ...dictSubjects(),
  ...subjectsOf('lrScheduler', lrScheduler),
  ...scheduleDicts(),
  ...subjectsOf('random', random),
  ...subjectsOf('data', data),
  ...subjectsOf('report', report),
  ...subjectsOf('metrics', metrics),
  ...subjectsOf('preprocessing', preprocessing),
  ...subjectsOf('callbacks', callbacks),
  ...training,
]
