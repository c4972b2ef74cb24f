import { describe, expect, it } from 'vitest'
import * as lrScheduler from '../src/lr_scheduler/index.js'
import * as optim from '../src/optim/index.js'
import { type Tensor, tensor } from '../src/tensor/index.js'

type Dict = ReturnType<optim.Optimizer['stateDict']>

const refused = expect.objectContaining({ code: 'ERR_STATE', message: expect.stringMatching(/expected/) })
const parameter = (
  values: number[] | number[][] = [
    [1, -2],
    [0.5, 3],
  ],
) => tensor(values, { requiresGrad: true })

/** Every optimizer that updates by a rule, with options that need all the state there can be. */
const classes: Record<
  string,
  [new (params: optim.Params, options: never) => optim.Optimizer, Record<string, unknown>]
> = {
  SGD: [optim.SGD, { lr: 0.1, momentum: 0.9, dampening: 0.3 }],
  Adam: [optim.Adam, { lr: 0.1, amsgrad: true }],
  AdamW: [optim.AdamW, { lr: 0.1, amsgrad: true }],
  Adamax: [optim.Adamax, { lr: 0.1 }],
  NAdam: [optim.NAdam, { lr: 0.1 }],
  RAdam: [optim.RAdam, { lr: 0.1 }],
  RMSprop: [optim.RMSprop, { lr: 0.1, momentum: 0.9, centered: true }],
  Rprop: [optim.Rprop, { lr: 0.1, stepSizes: [1e-6, Infinity] }],
  Adagrad: [optim.Adagrad, { lr: 0.1, initialAccumulatorValue: 0.1 }],
  Adadelta: [optim.Adadelta, { lr: 0.5 }],
  ASGD: [optim.ASGD, { lr: 0.1, t0: 1 }],
  Lion: [optim.Lion, { lr: 0.1 }],
  Muon: [optim.Muon, { lr: 0.1 }],
  SGDScheduleFree: [optim.SGDScheduleFree, { lr: 0.1 }],
  AdamWScheduleFree: [optim.AdamWScheduleFree, { lr: 0.1 }],
}

function step(optimizer: optim.Optimizer, times = 1): void {
  for (let i = 0; i < times; i++) {
    optimizer.zeroGrad()
    for (const { params } of optimizer.paramGroups) for (const p of params) p.mul(p).sum().backward()
    optimizer.step()
  }
}

const valuesOf = (optimizer: optim.Optimizer) => optimizer.paramGroups.map(({ params }) => params.map(p => [...p.data]))

/** Another optimizer of the same form where this one is, going on from `dict`. */
function resumed(name: string, optimizer: optim.Optimizer, dict: unknown, changes: object = {}): optim.Optimizer {
  const [Class, options] = classes[name]
  const groups = optimizer.paramGroups.map(({ params }) => ({
    params: params.map(p => tensor(p.toArray(), { requiresGrad: true })),
  }))
  const other = new Class(groups, { ...options, ...changes } as never)
  other.loadStateDict(dict as Dict)
  return other
}

describe('every optimizer', () => {
  it('is in the list', () => {
    const rules = Object.entries(optim).filter(([, value]) => typeof value === 'function' && 'rule' in value)
    expect(Object.keys(classes).sort()).toEqual(rules.map(([name]) => name).sort())
  })

  describe.each(Object.keys(classes))('%s', name => {
    const [Class, options] = classes[name]
    const started = () => {
      const optimizer = new Class([parameter()], options as never)
      step(optimizer, 3)
      return optimizer
    }

    it.each([
      ['as it is', (dict: Dict): unknown => dict],
      ['from JSON', (dict: Dict): unknown => JSON.parse(JSON.stringify(dict))],
      ['from structuredClone', (dict: Dict): unknown => structuredClone(dict)],
    ])('goes on from its state %s', (_, through) => {
      const optimizer = started()
      const other = resumed(name, optimizer, through(optimizer.stateDict()))
      step(optimizer, 2)
      step(other, 2)
      expect(valuesOf(other)).toEqual(valuesOf(optimizer))
      expect(other.stateDict()).toEqual(optimizer.stateDict())
    })

    it('goes on with a group that was added, with a rate below zero and with options switched off and on', () => {
      const optimizer = started()
      optimizer.addParamGroup({ params: [parameter([[2]])] })
      step(optimizer)
      optimizer.paramGroups[1].lr = -0.01
      const off: Record<string, unknown> = { momentum: 0, amsgrad: false, centered: false }
      for (const key of Object.keys(off))
        if (key in options && name !== 'SGDScheduleFree') optimizer.paramGroups[0][key] = off[key]
      step(optimizer)
      const other = resumed(name, optimizer, optimizer.stateDict())
      for (const o of [optimizer, other]) {
        step(o)
        for (const key of Object.keys(off)) if (key in options) o.paramGroups[0][key] = options[key]
        step(o, 2)
      }
      expect(valuesOf(other)).toEqual(valuesOf(optimizer))
    })

    it('refuses counts and moments that nobody writes, before anything is changed', () => {
      const optimizer = started()
      const before = JSON.stringify(optimizer.stateDict())
      const refuse = (what: string, change: (dict: Dict) => unknown) => {
        const dict = structuredClone(optimizer.stateDict())
        const changed = change(dict)
        expect(() => optimizer.loadStateDict((changed ?? dict) as Dict), what).toThrow(refused)
        expect(JSON.stringify(optimizer.stateDict()), what).toBe(before)
      }
      const { state } = optimizer.stateDict()
      for (const [key, value] of Object.entries(state[0])) {
        const isTensor = typeof value === 'object'
        const wrong = isTensor
          ? [
              1,
              null,
              {},
              tensor([1]),
              tensor(
                [
                  [1, 2],
                  [3, 4],
                ],
                { dtype: 'int32' },
              ),
              new Date(),
            ]
          : [NaN, Infinity, '3', null, {}, new Date(), true]
        const counts = key === 'step' ? [-5, 1.5, 2 ** 53] : []
        for (const bad of [...wrong, ...counts]) {
          const optional = bad === null && optimizer.rule.slots.some(slot => slot.key === key && slot.when)
          if (!optional) refuse(`${key} ${String(bad)}`, dict => void Object.assign(dict.state[0], { [key]: bad }))
        }
        if (!isTensor) continue
        const slot = optimizer.rule.slots.find(slot => slot.key === key)!
        for (const bad of [NaN, -Infinity, ...(slot.min === 0 ? [-1] : [Infinity])]) {
          refuse(`${key} with ${bad}`, dict => {
            const values = tensor((value as Tensor).toArray())
            values.data[3] = bad
            dict.state[0] = { ...dict.state[0], [key]: values }
          })
        }
      }
      const group = (changes: object) => (dict: Dict) => void Object.assign(dict.param_groups[0], changes)
      for (const bad of ['x', null, NaN, Infinity, {}, new Date(), []]) refuse(`lr ${String(bad)}`, group({ lr: bad }))
      for (const key of ['constructor', 'toString', 'hasOwnProperty']) refuse(key, group({ [key]: 1 }))
      refuse(
        '__proto__',
        dict => void Object.defineProperty(dict.param_groups[0], '__proto__', { value: 1, enumerable: true }),
      )
      for (const bad of [NaN, 'x', new Date(), {}, () => 1])
        refuse(`initial_lr ${String(bad)}`, group({ initial_lr: bad }))
      for (const bad of [[-1], ['0'], [0.5], new Array(1), [0, 0], null, 'ab'])
        refuse(`params ${String(bad)}`, group({ params: bad }))
      for (const bad of [null, 5, [null], [1], [[]], [new Date()], new Array(1)])
        refuse(`param_groups of ${String(bad)}`, dict => ({ ...dict, param_groups: Array.isArray(bad) ? bad : [bad] }))
      for (const bad of [5, 'x', null, [], new Date()])
        refuse(`state[0] ${String(bad)}`, dict => ({ ...dict, state: { 0: bad } }))
      refuse('state of nobody', dict => ({ ...dict, state: { ...dict.state, 7: {} } }))
      const only = (entries: object) => (dict: Dict) => ({ ...dict, state: { 0: entries } })
      refuse('an unknown key', only({ x: 1 }))
      if ('step' in state[0]) refuse('a count alone', only({ step: 3 }))
    })

    it('checks edited options before the next step, as at construction', () => {
      const optimizer = started()
      const group = optimizer.paramGroups[0]
      const before = valuesOf(optimizer)
      for (const key of Object.keys(optimizer.rule.options)) {
        const kept = group[key]
        for (const bad of ['x', {}, NaN, null, undefined, [NaN, 2], -Infinity, () => 1, new Date()]) {
          const allowed = (key === 'adjustLrFn' && bad === null) || undefined
          group[key] = bad
          if (!allowed)
            expect(() => step(optimizer), `${key} ${String(bad)}`).toThrow(
              expect.objectContaining({ code: expect.stringMatching(/^ERR_ARG/) }),
            )
          group[key] = kept
        }
        if (typeof kept === 'number' && key !== 'lr' && !Number.isNaN(kept)) {
          for (const bad of [-1, 1e9]) {
            let atConstruction = false
            try {
              new Class([parameter()], { ...options, [key]: bad } as never)
            } catch {
              atConstruction = true
            }
            group[key] = bad
            if (atConstruction)
              expect(() => step(optimizer), `${key} ${bad}`).toThrow(
                expect.objectContaining({ code: expect.stringMatching(/^ERR_ARG/) }),
              )
            group[key] = kept
          }
        }
      }
      expect(valuesOf(optimizer)).toEqual(before)
    })

    it('refuses to step with state that was transferred, and to write it', () => {
      const optimizer = started()
      for (const value of Object.values(optimizer.stateDict().state[0])) {
        if (typeof value !== 'object') continue
        const { buffer } = (value as Tensor).data
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
      }
      const before = valuesOf(optimizer)
      expect(() => step(optimizer)).toThrow(expect.objectContaining({ code: 'ERR_DETACHED' }))
      expect(() => optimizer.stateDict()).toThrow(expect.objectContaining({ code: 'ERR_DETACHED' }))
      expect(valuesOf(optimizer)).toEqual(before)
    })
  })
})

describe('SGD', () => {
  it('takes the whole gradient at the step that makes the momentum, whenever that is', () => {
    const p = parameter([1])
    const optimizer = new optim.SGD([p], { lr: 0.1, dampening: 0.5 })
    step(optimizer)
    optimizer.paramGroups[0].momentum = 0.9
    const again = new optim.SGD([parameter([...p.data])], { lr: 0.1, momentum: 0.9, dampening: 0.5 })
    again.loadStateDict({ ...optimizer.stateDict() })
    for (const expected of [0.6399999856948853, 0.43199998140335083]) {
      // torch 2.13
      step(optimizer)
      step(again)
      expect([p.item(), again.paramGroups[0].params[0].item()]).toEqual([expected, expected])
    }
  })
})

describe('a full run of OneCycleLR', () => {
  it.each([false, true])('ends below zero as in PyTorch, and its optimizer loads it, threePhase %s', threePhase => {
    const make = () => new optim.SGD([parameter([1])], { lr: 0.1, momentum: 0.9 })
    const optimizer = make()
    const scheduler = new lrScheduler.OneCycleLR(optimizer, {
      maxLr: 0.1,
      totalSteps: 20,
      annealStrategy: 'linear',
      threePhase,
    })
    for (let i = 0; i < 20; i++) scheduler.step()
    expect(optimizer.paramGroups[0].lr).toBeCloseTo(threePhase ? -0.00044399999999999995 : -0.007142428571428577, 15)
    const other = make()
    other.loadStateDict(optimizer.stateDict())
    expect(other.stateDict()).toEqual(optimizer.stateDict())
  })
})

it('a dict of AdamW is not for Adam', () => {
  const [adam, adamW] = [new optim.Adam([parameter()]), new optim.AdamW([parameter()])]
  const dict = (decoupled: boolean) => ({
    ...adam.stateDict(),
    param_groups: [{ ...adam.stateDict().param_groups[0], decoupled_weight_decay: decoupled, foreach: null }],
  })
  adam.loadStateDict(dict(false))
  adamW.loadStateDict(dict(true))
  expect(() => adam.loadStateDict(dict(true))).toThrow(refused)
  expect(() => adamW.loadStateDict(dict(false))).toThrow(refused)
})
