/** Data sets, splits and loaders. */

export type { Cell, ColumnType, ColumnValues } from './column.js'
export type { Columns } from './columns.js'
export { DataLoader, type DataLoaderOptions } from './data_loader.js'
export { type Dataset, Subset, TensorDataset } from './dataset.js'
export type { TableSource } from './input.js'
export { qwerty } from './qwerty.js'
export { randomSplit } from './random_split.js'
export { type ReadTableOptions, readTable } from './read_table.js'
export type { Labels } from './stratify.js'
export { Table, type ToTensorOptions } from './table.js'
export { tableFrom } from './table_from.js'
export { type SplitOptions, type Splittable, trainTestIndices, trainTestSplit } from './train_test_split.js'
