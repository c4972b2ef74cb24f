/**
 * A table with missing values and two columns of categories: numbers are imputed and scaled, categories become codes, and
 * one model takes all three through `fit`: numbers as they are, codes through embeddings. Not a lesson in which columns matter.
 *
 * node build/js/examples/mixed-table.js
 */
import { data, evaluate, fit, nn, optim, preprocessing, random, type Tensor } from 'anneal'

/** Customers with an age, an income, a city and a job, some unknown; whether they buy depends on all four. */
function* customers(n: number) {
  const rs = new random.RandomState(7)
  const pick = (list: string[]) => list[rs.randint(0, list.length)]
  const sometimes = <T>(value: T) => (rs.rand() < 0.08 ? null : value)
  const appeal: Record<string, number> = { Bern: 2, Rome: -1, Oslo: 0, nurse: 1, pilot: -2, smith: 1 }
  for (let i = 0; i < n; i++) {
    const [age, income, city, job] = [
      rs.normal(45, 12),
      rs.normal(50, 15),
      pick(['Bern', 'Rome', 'Oslo']),
      pick(['nurse', 'pilot', 'smith']),
    ]
    const buys = (age - 45) / 12 + (income - 50) / 15 + appeal[city] + appeal[job] + rs.normal(0, 0.5) > 0
    yield { age: sometimes(age), income: sometimes(income), city: sometimes(city), job: sometimes(job), buys }
  }
}

class MixedNet extends nn.Module {
  city: nn.Embedding
  job: nn.Embedding
  numbers: nn.Linear
  fromCity = new nn.Linear(4, 16)
  fromJob = new nn.Linear(4, 16)
  out = new nn.Linear(16, 2)
  flatten = new nn.Flatten()

  constructor(numbers: number, cities: number, jobs: number) {
    super()
    this.numbers = new nn.Linear(numbers, 16)
    this.city = new nn.Embedding(cities, 4)
    this.job = new nn.Embedding(jobs, 4)
  }

  forward(numbers: Tensor, city: Tensor, job: Tensor) {
    const [fromCity, fromJob] = [
      this.fromCity.forward(this.flatten.forward(this.city.forward(city))),
      this.fromJob.forward(this.flatten.forward(this.job.forward(job))),
    ]
    return this.out.forward(this.numbers.forward(numbers).add(fromCity).add(fromJob).relu())
  }
}

const { ColumnTransformer, LabelEncoder, makePipeline, OrdinalEncoder, SimpleImputer, StandardScaler } = preprocessing
const table = data.tableFrom([...customers(600)])
console.log(`${table.head(5)}\n`)
const y = new LabelEncoder().fitTransform(table.column('buys'))
const rows = data.trainTestIndices(table.rows, { testSize: 0.25, stratify: y, randomState: 0 })

const codes = () =>
  makePipeline(
    new SimpleImputer({ strategy: 'constant', fillValue: 'unknown' }),
    new OrdinalEncoder({ dtype: 'int32' }),
  )
const prepare = new ColumnTransformer([
  [
    'numbers',
    makePipeline(new SimpleImputer({ strategy: 'median', addIndicator: true }), new StandardScaler()),
    ['age', 'income'],
  ],
  ['city', codes(), ['city']],
  ['job', codes(), ['job']],
]).fit(table.take(rows.train)) // learned on the training part only

random.manualSeed(0)
const dataset = new data.TensorDataset(...prepare.transformTensors(table), y)
const loaderOf = (part: Int32Array, shuffle: boolean) =>
  new data.DataLoader(new data.Subset(dataset, part), { batchSize: 32, shuffle })
const model = new MixedNet(prepare.transformTensors(table)[0].shape[1], 4, 4)
const loss = new nn.CrossEntropyLoss()
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 })
const history = await fit(model, { train: loaderOf(rows.train, true), loss, optimizer, epochs: 20 })
const { accuracy } = await evaluate(model, loaderOf(rows.test, false), loss)
console.log(`engine ${history.engine}, test accuracy ${accuracy!.toFixed(4)}`)
