/** The driver of the first epoch trains what the explicit loop does, and says what memory that added. */
import { noGrad } from 'anneal'
import { expect, test } from 'vitest'
import { lossOf, modelOf, optimizerOf, setsOf } from '../bench/drivers/anneal.js'
import { runDriver } from '../bench/harness/process.js'
import { programOf } from '../bench/harness/programs.js'
import { chooseContenders, chooseTrials } from '../bench/harness/request.js'
import { summarise } from '../bench/harness/summary.js'
import { bytes, type ColdTrial, flops, type StepTrial } from '../bench/trials.js'

const [first] = chooseTrials(['cold']) as ColdTrial[]
const small: ColdTrial = { ...first, step: { ...first.step, widths: [256, 16, 4], batch: 32, rows: 2050 } }

/** The mean loss of an epoch of the explicit loop. */
function explicitLoss(trial: StepTrial): number {
  const { train } = setsOf(trial)
  const model = modelOf(trial)
  const optimizer = optimizerOf(model.parameters(), trial.optimizer)
  const criterion = lossOf(trial)
  let sum = 0
  for (const [x, y] of train) {
    const loss = criterion.forward(model.forward(x), y)
    optimizer.zeroGrad()
    loss.backward()
    optimizer.step()
    sum += noGrad(() => loss.item())
  }
  return sum / train.length
}

test('native-cold: an epoch, its time and what memory it adds', async () => {
  const [contender] = chooseContenders(['native-cold'])
  const program = programOf(contender)
  if ('missing' in program) throw new Error(program.missing)
  const answer = await runDriver(program.command(small, 1, 0.01), { threads: 1, cpus: [] })
  expect(answer.check).toBe(explicitLoss(small.step))
  expect(answer.samples).toHaveLength(1)
  expect(answer.addedMB).toBeLessThan(40)
  const measured = [{ name: contender.name, role: contender.role, rounds: answer.samples, answers: [answer] }]
  const [line] = summarise({ trial: small, probes: [], probesAlone: [], measured, skipped: [] })
  expect(line).toMatchObject({ us: answer.samples[0], addedMB: answer.addedMB })
})

test('an epoch is as much work as its steps', () => {
  const [step] = chooseTrials(['784-128-10'])
  expect(flops(first)).toBe(468 * flops(step)!)
  expect(bytes(first)).toBe(468 * bytes(step)!)
})
