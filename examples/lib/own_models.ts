/** Three models of one's own, written in ops, and data for them. Not here: how they are trained (own-models.ts). */

import { data, nn, ops, random, type Tensor, tensor } from 'anneal'

/** Whom and what: a tower for users, of a code and numbers, one for items, and the cosine between them. */
export class TwoTower extends nn.Module {
  users = new nn.Embedding(40, 12)
  items = new nn.Embedding(60, 16)
  userTower = new nn.Linear(12 + 4, 16)
  itemTower = new nn.Linear(16, 16)
  cosine = new nn.CosineSimilarity()

  forward(users: Tensor, items: Tensor, numbers: Tensor): Tensor {
    const user = this.userTower.forward(ops.cat([this.users.forward(users), numbers], 1))
    return this.cosine.forward(user, this.itemTower.forward(this.items.forward(items)))
  }
}

/** Experts whose outputs a softmax mixes for each row: Jacobs et al. (1991). */
export class MixtureOfExperts extends nn.Module {
  gate = new nn.Linear(8, 4)
  experts = Array.from(
    { length: 4 },
    () => new nn.Sequential(new nn.Linear(8, 16), new nn.Tanh(), new nn.Linear(16, 3)),
  )

  forward(x: Tensor): Tensor {
    const outputs = ops.stack(
      this.experts.map(expert => expert.forward(x)),
      1,
    ) // [rows, experts, 3]
    const gates = this.gate.forward(x).softmax(1).unsqueeze(1) // [rows, 1, experts]
    return gates.matmul(outputs).squeeze(1)
  }
}

/** A block of attention over a set of vectors, and the mean of what it gives: Vaswani et al. (2017). */
export class SetAttention extends nn.Module {
  readonly heads = 2
  norm = new nn.RMSNorm([16])
  project = new nn.Linear(16, 3 * 16)
  out = new nn.Linear(16, 16)
  classes = new nn.Linear(16, 3)

  /** [rows, set, 16] as [rows, heads, set, 8]. */
  private byHead(x: Tensor): Tensor {
    const [rows, set, width] = x.shape
    return x.reshape([rows, set, this.heads, width / this.heads]).permute([0, 2, 1, 3])
  }

  /** softmax(q·kᵀ / √d)·v */
  private attend(q: Tensor, k: Tensor, v: Tensor): Tensor {
    const scores = q.matmul(k.transpose(-2, -1)).div(Math.sqrt(q.shape[3]))
    return scores.softmax(-1).matmul(v)
  }

  forward(x: Tensor): Tensor {
    const [q, k, v] = this.project.forward(this.norm.forward(x)).chunk(3, -1)
    const mixed = this.attend(this.byHead(q), this.byHead(k), this.byHead(v))
    const seen = x.add(this.out.forward(mixed.permute([0, 2, 1, 3]).reshape(x.shape)))
    return this.classes.forward(seen.mean(1))
  }
}

const codes = (rows: number, count: number, step: number) =>
  tensor(Int32Array.from({ length: rows }, (_, i) => (i * step) % count))

/** Users, items and numbers, and how much the ones like the others, in [-1, 1]. */
export function tastes(rows: number): data.TensorDataset {
  const numbers = random.randn([rows, 4])
  const [users, items] = [codes(rows, 40, 7), codes(rows, 60, 11)]
  const liking = Float32Array.from({ length: rows }, (_, i) =>
    Math.sin(users.data[i] + items.data[i] + numbers.data[4 * i]),
  )
  return new data.TensorDataset(users, items, numbers, tensor(liking))
}

/** Rows of numbers in three classes, by a rule that changes with the sign of the first. */
export function regions(rows: number): data.TensorDataset {
  const X = random.randn([rows, 8])
  const classOf = (i: number) =>
    (X.data[8 * i] > 0 ? X.data[8 * i + 1] > 0 : X.data[8 * i + 2] > 1) as unknown as number
  const y = Int32Array.from({ length: rows }, (_, i) => Number(classOf(i)) + Number(X.data[8 * i + 3] > 1))
  return new data.TensorDataset(X, tensor(y))
}

/** Sets of six vectors, in the class of the place whose first number is the largest, modulo 3. */
export function sets(rows: number): data.TensorDataset {
  const X = random.randn([rows, 6, 16])
  const first = X.select(2, 0)
  const y = first.amax(1).mul(3).clamp(0, 8.9).data
  return new data.TensorDataset(X, tensor(Int32Array.from(y, value => Math.floor(value / 3))))
}
