/** Iris: from a CSV to the test accuracies of ten random splits and starts. */
import { data, fit, metrics, nn, optim, predict, preprocessing, random } from 'anneal'

const table = await data.readTable('examples/data/iris.csv')
const X = table.drop(['species']).toTensor()
const y = new preprocessing.LabelEncoder().fitTransform(table.column('species'))
for (let seed = 0; seed < 10; seed++) {
  random.manualSeed(seed)
  const [XTrain, XTest, yTrain, yTest] = data.trainTestSplit(X, y, { testSize: 0.2, stratify: y, randomState: seed })
  const scaler = new preprocessing.StandardScaler().fit(XTrain)
  const dataset = new data.TensorDataset(scaler.transform(XTrain), yTrain)
  const train = new data.DataLoader(dataset, { batchSize: 16, shuffle: true })
  const model = new nn.Sequential(new nn.Linear(4, 16), new nn.ReLU(), new nn.Linear(16, 3))
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01, weightDecay: 0.01 })
  await fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 40 })
  console.log(metrics.accuracyScore(yTest, (await predict(model, scaler.transform(XTest))).argmax(1)))
}
