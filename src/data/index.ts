/** Data sets, splits and loaders. */

export { DataLoader, type DataLoaderOptions } from './data_loader.js'
export { type Dataset, Subset, TensorDataset } from './dataset.js'
export { qwerty } from './qwerty.js'
export { randomSplit } from './random_split.js'
export type { Labels } from './stratify.js'
export { type SplitOptions, type Splittable, trainTestIndices, trainTestSplit } from './train_test_split.js'
