/** Charts, tables, a self-contained HTML report and a progress display; everything heavier than text loads on first use. */

export { type Bar, type BarChartOptions, barChart } from './bar_chart.js'
export { type ChartGridOptions, chartGrid } from './chart_grid.js'
export { type ConfusionMatrixChartOptions, confusionMatrixChart } from './confusion_chart.js'
export {
  type ResidualChartOptions,
  type RocChartOptions,
  type RocCurve,
  residualChart,
  rocChart,
} from './evaluation_charts.js'
export { type HtmlReportOptions, htmlReport, type Picture, type ReportSection } from './html.js'
export { type LineChartOptions, lineChart } from './line_chart.js'
export type { Chart } from './page.js'
export {
  type EpochFigures,
  type Progress,
  type ProgressOptions,
  type ProgressStream,
  trainingProgress,
} from './progress.js'
export type { Series } from './series.js'
export { htmlTable, markdownTable, type Row, textTable } from './table.js'
export { formatNumber } from './text.js'
