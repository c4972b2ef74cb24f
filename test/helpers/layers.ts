/** One of every layer, for tests that go through all of them. Not a test. */

import { nn } from 'anneal'

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
  Softmax: () => new nn.Softmax({ dim: 1 }),
  LogSoftmax: () => new nn.LogSoftmax({ dim: -1 }),
  Sequential: () => new nn.Sequential(new nn.Linear(4, 4), new nn.Sequential(new nn.ReLU(), new nn.Linear(4, 2))),
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
