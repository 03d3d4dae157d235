// Batch normalization of one feature; the twins of kdlab.batchnorm, on plain arrays.

const averageOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean, biased variance, and the unbiased one, NaN for a single number. */
export function batchStatistics(batch) {
  const mean = averageOf(batch);
  const variance = averageOf(batch.map((x) => (x - mean) ** 2));
  return { mean, variance, unbiased: (variance * batch.length) / (batch.length - 1) };
}

/** The batch normalized and scaled; empty where training refuses a single number. */
export function normalizeBatch(batch, { gamma, beta, eps, training, running }) {
  const own = batchStatistics(batch);
  const used = training ? { mean: own.mean, variance: own.variance } : running;
  const refused = training && batch.length === 1;
  const root = Math.sqrt(used.variance + eps);
  const undone = { gamma: root, beta: used.mean };
  const normalized = refused ? [] : batch.map((x) => (x - used.mean) / root);
  return { own, used, undone, refused, normalized, outputs: normalized.map((x) => gamma * x + beta) };
}

/** Running statistics once training has seen a batch of at least two numbers. */
export function stepRunning({ mean, variance }, batch, momentum) {
  const own = batchStatistics(batch);
  const toward = (old, next) => old + momentum * (next - old);
  return { mean: toward(mean, own.mean), variance: toward(variance, own.unbiased) };
}
