/**
 * From a CSV to a model that answers over HTTP, in one file: what a first project with tables looks like.
 *
 * node build/js/examples/serve-table.js
 *   curl localhost:3000/predict -H 'content-type: application/json' \
 *     -d '{"sepal_length":6.3,"sepal_width":3.3,"petal_length":6,"petal_width":2.5}'
 */
import { pathToFileURL } from 'node:url'
import { data, evaluate, fit, nn, optim, predict, preprocessing, random } from 'anneal'
import fastify from 'fastify'

random.manualSeed(0)
const table = await data.readTable('examples/data/iris.csv')
const names = new preprocessing.LabelEncoder()
const y = names.fitTransform(table.column('species'))
const X = table.drop(['species'])
const rows = data.trainTestIndices(table.rows, { testSize: 0.2, stratify: y, randomState: 0 })
const scaler = new preprocessing.StandardScaler().fit(X.take(rows.train)) // learned of the training rows alone

const all = new data.TensorDataset(scaler.transform(X), y)
const train = new data.DataLoader(new data.Subset(all, rows.train), { batchSize: 16, shuffle: true })
const test = new data.DataLoader(new data.Subset(all, rows.test))
const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 3))
const loss = new nn.CrossEntropyLoss()
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 })
await fit(model, { train, loss, optimizer, epochs: 40 })
export const { accuracy } = await evaluate(model, test, loss)

export const server = fastify()
server.post<{ Body: Record<string, number> }>('/predict', async ({ body }) => {
  const asked = data.tableFrom([body]).select(X.names) // in the order of fit, whatever the order of the keys
  const logits = await predict(model, scaler.transform(asked))
  return { species: names.inverseTransform(logits.argmax(1))[0] }
})
if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log(await server.listen({ port: 3000 }))
