/** The public names of `metrics`. */

export { type AccuracyOptions, accuracyScore, type BalancedAccuracyOptions, balancedAccuracyScore } from './accuracy.js'
export {
  type AreaAverage,
  type AveragePrecisionOptions,
  averagePrecisionScore,
  type RocAucOptions,
  rocAucScore,
} from './area_scores.js'
export {
  type ClassificationReportOptions,
  type ClassScores,
  classificationReport,
  type ReportScores,
} from './classification_report.js'
export { type ConfusionMatrixOptions, confusionMatrix } from './confusion_matrix.js'
export { type RocCurveOptions, type RocPoints, rocCurve } from './curves.js'
export { type LogLossOptions, logLoss } from './log_loss.js'
export { type Average, f1Score, type PrecisionRecallOptions, precisionScore, recallScore } from './precision_recall.js'
export {
  meanAbsoluteError,
  meanSquaredError,
  type R2Options,
  type RegressionOptions,
  r2Score,
  rootMeanSquaredError,
} from './regression.js'
export type { Labels, Scores, Weighted, Weights } from './targets.js'
