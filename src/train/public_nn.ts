/** The public `nn`: layers and losses, and the summary of a model, which asks the plan. */

export * from '../nn/index.js'
export { type LayerSummary, type ModelSummary, type SummaryOptions, summary } from './summary.js'
