/** One of every layer, for tests that go through all of them. Not a test. */

import { nn, random, type Tensor, tensor } from 'anneal'

/** One of every layer, with options that are not the defaults. */
export const layers: Record<string, () => nn.Module> = {
  Linear: () => new nn.Linear(4, 3, { bias: false }),
  Dropout: () => new nn.Dropout({ p: 0.25 }),
  BatchNorm1d: () => new nn.BatchNorm1d(4, { eps: 1e-3, momentum: null, affine: false }),
  LayerNorm: () => new nn.LayerNorm([4], { eps: 1e-4, bias: false }),
  Embedding: () => new nn.Embedding(7, 3, { paddingIdx: -1 }),
  Flatten: () => new nn.Flatten({ startDim: 0 }),
  Identity: () => new nn.Identity(),
  ReLU: () => new nn.ReLU(),
  Sigmoid: () => new nn.Sigmoid(),
  Tanh: () => new nn.Tanh(),
  SiLU: () => new nn.SiLU(),
  LeakyReLU: () => new nn.LeakyReLU({ negativeSlope: 0.2 }),
  ELU: () => new nn.ELU({ alpha: 0.5 }),
  GELU: () => new nn.GELU({ approximate: 'tanh' }),
  Softplus: () => new nn.Softplus({ beta: 2 }),
  Softsign: () => new nn.Softsign(),
  Hardtanh: () => new nn.Hardtanh({ minVal: -0.5 }),
  PReLU: () => new nn.PReLU({ numParameters: 4, init: 0.5 }),
  Bilinear: () => new nn.Bilinear(4, 4, 3, { bias: false }),
  CosineSimilarity: () => new nn.CosineSimilarity({ dim: -1, eps: 0.5 }),
  EmbeddingBag: () => new nn.EmbeddingBag(7, 3, { mode: 'sum', paddingIdx: -1 }),
  RMSNorm: () => new nn.RMSNorm([4], { eps: 1e-4 }),
  GroupNorm: () => new nn.GroupNorm(2, 4, { affine: false }),
  Softmax: () => new nn.Softmax({ dim: 1 }),
  LogSoftmax: () => new nn.LogSoftmax({ dim: -1 }),
  Sequential: () => new nn.Sequential(new nn.Linear(4, 4), new nn.Sequential(new nn.ReLU(), new nn.Linear(4, 2))),
}

/** What a layer takes: its inputs by name with the number of rows open, and those of so many rows. */
export interface LayerInputs {
  readonly forms: Record<string, { shape: (number | null)[]; dtype: 'float32' | 'int32' }>
  readonly make: (rows: number) => Tensor[]
}

const codes = (rows: number, ...rest: number[]) => {
  const size = [rows, ...rest].reduce((a, b) => a * b)
  return tensor(
    Int32Array.from({ length: size }, (_, i) => i % 7),
    { shape: [rows, ...rest] },
  )
}
const numbers = () => ({ shape: [null, 4], dtype: 'float32' as const })
const noise = (rows: number) => random.randn([rows, 4])
const pair: LayerInputs = { forms: { a: numbers(), b: numbers() }, make: rows => [noise(rows), noise(rows)] }

/** By the layer's name; of those that are not here, one of float32 [rows, 4]. */
const unlike: Record<string, LayerInputs> = {
  Embedding: { forms: { codes: { shape: [null], dtype: 'int32' } }, make: rows => [codes(rows)] },
  EmbeddingBag: { forms: { codes: { shape: [null, 3], dtype: 'int32' } }, make: rows => [codes(rows, 3)] },
  Bilinear: pair,
  CosineSimilarity: pair,
}

export function inputsOf(name: string): LayerInputs {
  return unlike[name] ?? { forms: { x: numbers() }, make: rows => [noise(rows)] }
}

/** The layers that `nn` exports. */
export const layerClasses = Object.entries(nn)
  .flatMap(([name, value]) =>
    typeof value === 'function' && value.prototype instanceof nn.Module && !(value.prototype instanceof nn.Loss)
      ? [name]
      : [],
  )
  .filter(name => name !== 'Loss')
  .sort()
