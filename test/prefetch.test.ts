/**
 * Which two kernels of a step prefetch the next batch, as the plan decides it. That both ways give the same bits, and that
 * native code refuses what is not proven, is in native/test/plan_test.cc.
 */

import { describe, expect, it } from 'vitest'
import { DataLoader } from '../src/data/index.js'
import { recordTraining } from '../src/engine/record_step.js'
import { columnsBehind } from '../src/engine/resident.js'
import { UpdateScalars } from '../src/engine/update_scalars.js'
import { cpu } from '../src/native/cpu.js'
import { CrossEntropyLoss } from '../src/nn/index.js'
import { SGD } from '../src/optim/index.js'
import { Placement } from '../src/plan/placement.js'
import { Memory } from '../src/plan/program.js'
import { blobs, mlp } from './helpers/training.js'

/** Rows of 784 that the second cache does not hold. */
const far = Math.ceil(cpu.nearFloats / 784)

/** A step on 16 rows of a set of so many: its prefetch, and the place of every buffer of the arena but memory. */
function stepOf(widths: number[], setRows: number) {
  const model = mlp(widths)
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const train = new DataLoader(blobs(16, widths[0], widths[widths.length - 1]), { batchSize: 16 })
  const options = { train, loss: new CrossEntropyLoss(), optimizer, epochs: 1 }
  const columns = columnsBehind(train)
  const recorded = recordTraining(model, options, columns, [16], new UpdateScalars(optimizer), new Memory())
  const placement = new Placement([{ ...recorded, dataSet: 0 }], [{ rows: setRows, columns: [] }])
  const [{ prefetch, calls }] = placement.programs
  const buffers = new Set(calls.flatMap(call => Object.values(call.buffers)))
  const temps = [...buffers].filter(({ slot }) => slot.origin.kind === 'temp')
  const ranges = temps.map(buffer => {
    const [, start] = placement.placeOf(buffer)
    return { start, end: start + buffer.length }
  })
  return { prefetch, calls, ranges, placement }
}

describe('the next batch', () => {
  it('is fetched by the weight gradient that reads the batch last, into memory that nothing else uses', () => {
    const { prefetch, calls, ranges, placement } = stepOf([784, 40, 5], far)
    expect(prefetch?.gather.kernel).toBe('gather_panels')
    expect(prefetch?.reader.kernel).toBe('linear_panel_weight_bwd_sgd_update')
    const { x } = prefetch!.gather.buffers
    expect(calls.findLast(call => Object.values(call.buffers).includes(x))).toBe(prefetch!.reader)
    const [, start] = placement.placeOf(x)
    for (const other of ranges) expect(other.end <= start || other.start >= start + x.length).toBe(true)
  })

  it.each([
    ['of a set that fits into the second cache', [784, 40, 5], far - 1],
    ['of short rows', [100, 40, 5], 100_000],
    ['before a product of many outputs', [784, 600, 5], far],
    ['of a narrow model', [4, 8, 3], 1_000_000],
  ])('is gathered %s', (_, widths, setRows) => {
    expect(stepOf(widths, setRows).prefetch).toBeNull()
  })

  it('is gathered where the data set is not known', () => {
    const { placement } = stepOf([784, 40, 5], far)
    const unknown = new Placement([{ calls: [], advance: placement.programs[0].advance, dataSet: 0 }])
    expect(unknown.programs[0].prefetch).toBeNull()
  })
})
