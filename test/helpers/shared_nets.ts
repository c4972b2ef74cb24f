/**
 * Trainings that are run by one process and by several, as a program: it prints a line per net, its name and a hash of
 * weights, buffers, optimizer state and history. Not a test.
 */

/** `world` is the world that shares the work, or undefined; `only` the names to run, or null. */
export const sharedNets = `
  const { nn, optim, lrScheduler, data, random, tensor, fit, callbacks } = anneal
  const { createHash } = await import('node:crypto')

  class Residual extends nn.Module {
    constructor(width) {
      super()
      this.inner = new nn.Linear(width, width)
      this.act = new nn.SiLU()
    }
    forward(x) { return x.add(this.act.forward(this.inner.forward(x))) }
  }
  const stack = (widths, between = () => [new nn.ReLU()]) => () =>
    new nn.Sequential(...widths.slice(1).flatMap((n, i) => [
      new nn.Linear(widths[i], n), ...(i + 2 < widths.length ? between(n) : []),
    ]))
  const sgd = p => new optim.SGD(p, { lr: 0.05 })
  const momentum = p => new optim.SGD(p, { lr: 0.02, momentum: 0.9, weightDecay: 1e-4 })
  const adam = p => new optim.Adam(p, { lr: 0.002 })
  const adamw = p => new optim.AdamW(p, { lr: 0.002, weightDecay: 0.01 })
  const rmsprop = p => new optim.RMSprop(p, { lr: 0.001 })

  const nets = {
    '2-8-3': { widths: [2, 8, 3], optimizer: sgd },
    '64-32-10': { widths: [64, 32, 10], optimizer: momentum },
    '784-128-10': { widths: [784, 128, 10], optimizer: adam },
    '784-256-128-10': { widths: [784, 256, 128, 10], optimizer: sgd },
    '784-1024-1024-10': { widths: [784, 1024, 1024, 10], optimizer: momentum, rows: 70 },
    '1536-512-10': { widths: [1536, 512, 10], optimizer: adam },
    'layer norm and GELU': { widths: [40, 96, 80, 10], between: n => [new nn.LayerNorm([n]), new nn.GELU()], optimizer: adamw },
    'batch norm and dropout': { widths: [30, 96, 64, 5], between: n => [new nn.BatchNorm1d(n), new nn.ReLU(), new nn.Dropout({ p: 0.2 })], optimizer: adamw },
    'residual layers': { widths: [20, 64, 64, 4], between: n => [new Residual(n)], optimizer: adam },
    'clipped': { widths: [50, 70, 48, 6], optimizer: adam, options: { clipGradNorm: 0.5 } },
    'accumulated': { widths: [50, 64, 6], optimizer: momentum, options: { accumulate: 2 } },
    'an update of its own kernel': { widths: [50, 64, 100], optimizer: rmsprop },
    'scheduled and smoothed': { widths: [30, 48, 33], optimizer: adam, smoothing: 0.1, schedule: true },
    'regression': { widths: [13, 64, 64, 1], between: () => [new nn.Tanh()], optimizer: adam, regression: true },
    'batches of few rows': { widths: [20, 64, 7], optimizer: momentum, batch: 3, rows: 13 },
    'streamed': { widths: [2, 48, 33], optimizer: adam, streamed: true, rows: 100 },
    'Muon': { widths: [32, 48, 33], optimizer: p => new optim.Muon(p, { lr: 0.01 }), bias: false },
  }

  async function train(name, more = {}) {
    const { widths, between, optimizer: make, options, smoothing = 0, schedule, regression, rows = 75, batch = 32 } = nets[name]
    random.manualSeed(7)
    const x = random.randn([rows, widths[0]])
    const classes = widths.at(-1)
    const y = regression ? random.randn([rows, 1]) : tensor(Int32Array.from({ length: rows }, (_, i) => (i * 7) % classes))
    let model = stack(widths, between)()
    const set = nets[name].streamed
      ? await data.streamTable(async function* () {
          for (let at = 0; at < rows; at += 30) {
            const part = Array.from({ length: Math.min(30, rows - at) }, (_, i) => at + i)
            yield { a: part.map(i => x.data[2 * i]), b: part.map(i => x.data[2 * i + 1]), y: part.map(i => y.data[i]) }
          }
        }, { inputs: ['a', 'b'], target: 'y', partRows: 40, rows })
      : new data.TensorDataset(x, y)
    if (name === 'Muon') model = new nn.Sequential(...widths.slice(1).map((n, i) => new nn.Linear(widths[i], n, { bias: false })))
    const optimizer = make(model.parameters())
    const scheduler = schedule ? new lrScheduler.StepLR(optimizer, { stepSize: 2, gamma: 0.7 }) : undefined
    const loader = new data.DataLoader(set, { batchSize: batch, shuffle: true })
    const history = await fit(model, {
      train: loader, test: loader, optimizer, ...(scheduler && { scheduler }), epochs: 3,
      loss: regression ? new nn.MSELoss() : new nn.CrossEntropyLoss({ labelSmoothing: smoothing }),
      ...options, ...more,
    })
    const hash = createHash('sha256').update(JSON.stringify(history))
    for (const t of Object.values(model.stateDict())) hash.update(t.data)
    hash.update(JSON.stringify(optimizer.stateDict(), (_, v) => (v?.data instanceof Float32Array ? [...v.data] : v)))
    return { engine: history.engine, hash: hash.digest('hex').slice(0, 16) }
  }
`
