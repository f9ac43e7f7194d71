-- More measures of a version, and what plain counting reaches on the same samples. Rows from before
-- have none of them. NDCG and MRR are means over `questions`; popularity and logistic are AUCs.

ALTER TABLE evaluations ADD COLUMN IF NOT EXISTS calibration_error Nullable(Float64);

ALTER TABLE evaluations ADD COLUMN IF NOT EXISTS ndcg_10 Nullable(Float64);

ALTER TABLE evaluations ADD COLUMN IF NOT EXISTS mrr Nullable(Float64);

ALTER TABLE evaluations ADD COLUMN IF NOT EXISTS questions UInt64;

ALTER TABLE evaluations ADD COLUMN IF NOT EXISTS popularity Nullable(Float64);

ALTER TABLE evaluations ADD COLUMN IF NOT EXISTS logistic Nullable(Float64);
