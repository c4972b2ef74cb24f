/** The list of transformers: a new one is a file and a line here. `fromJSON` makes any of these again. */

export { ColumnTransformer } from './column_transformer.js'
export { LabelEncoder } from './label_encoder.js'
export { MinMaxScaler } from './min_max_scaler.js'
export { OneHotEncoder } from './one_hot_encoder.js'
export { OrdinalEncoder } from './ordinal_encoder.js'
export { Pipeline } from './pipeline.js'
export { RobustScaler } from './robust_scaler.js'
export { SimpleImputer } from './simple_imputer.js'
export { StandardScaler } from './standard_scaler.js'
