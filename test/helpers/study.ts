/** A study of 64 runs, as a program of its own. Not a test. */

/**
 * With these options besides. Says of each run that it has ended, and at the end `result`: how many are missing, how many are
 * there, and hashes of the table's rows as JSON and of all weights. Short, for launchers mix long lines of several ranks.
 */
export const study64 = (options: string) => `
  const { createHash } = await import('node:crypto')
  const { nn, optim, lrScheduler, data, random, sweep } = anneal
  random.manualSeed(1)
  const X = random.randn([120, 6])
  const y = X.narrow(1, 0, 3).argmax(1)
  const result = await sweep({
    makeModel: ({ hidden }) => new nn.Sequential(
      new nn.Linear(6, hidden), new nn.ReLU(), new nn.Dropout({ p: 0.1 }), new nn.Linear(hidden, 3)),
    makeOptimizer: (model, { lr }) => new optim.AdamW(model.parameters(), { lr }),
    makeScheduler: optimizer => new lrScheduler.StepLR(optimizer, { stepSize: 20, gamma: 0.5 }),
    grid: { lr: [0.001, 0.003, 0.01, 0.1], hidden: [4, 8, 16, 32], seed: [0, 1, 2, 3] },
    train: new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 16, shuffle: true }),
    test: new data.DataLoader(new data.TensorDataset(X, y), { batchSize: 64 }),
    ...{ loss: new nn.CrossEntropyLoss(), epochs: 5, threads: 1 },
    onRun: ({ index }) => console.log('ended', index),
    ${options}
  })
  const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')
  const runs = [...result.runs].sort((a, b) => a.index - b.index)
  const weights = runs.flatMap(({ model }) => Object.values(model.stateDict()).map(({ data }) => data))
  console.log('result', result.missing.length, runs.length, sha256(JSON.stringify(result.rows)), sha256(...weights))`
