/** Digits: from a CSV to the test accuracies of ten random splits and starts. */
import { data, fit, metrics, nn, optim, predict, preprocessing, random } from 'anneal'

const table = await data.readTable('examples/data/digits.csv')
const X = table.drop(['digit']).toTensor()
const y = new preprocessing.LabelEncoder().fitTransform(table.column('digit'))
for (let seed = 0; seed < 10; seed++) {
  random.manualSeed(seed)
  const [XTrain, XTest, yTrain, yTest] = data.trainTestSplit(X, y, { testSize: 0.2, stratify: y, randomState: seed })
  const scaler = new preprocessing.StandardScaler().fit(XTrain)
  const dataset = new data.TensorDataset(scaler.transform(XTrain), yTrain)
  const train = new data.DataLoader(dataset, { batchSize: 32, shuffle: true })
  const model = new nn.Sequential(new nn.Linear(64, 64), new nn.ReLU(), new nn.Linear(64, 10))
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.003, weightDecay: 0.05 })
  await fit(model, { train, loss: new nn.CrossEntropyLoss(), optimizer, epochs: 25 })
  console.log(metrics.accuracyScore(yTest, (await predict(model, scaler.transform(XTest))).argmax(1)))
}
