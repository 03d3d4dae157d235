// The mathematics that the browser computes itself: pure functions on plain arrays.
// tests/browser/test_maths.py compares each with its Python twin over a grid, to 1e-6.

/** log q_i of one row of scores, softened; the twin of log_softmax(logits / T). */
export function logSoftmax(logits, temperature) {
  let top = -Infinity;
  for (const score of logits) top = Math.max(top, score / temperature);
  let sum = 0;
  for (const score of logits) sum += Math.exp(score / temperature - top);
  const shift = top + Math.log(sum);
  return Float64Array.from(logits, (score) => score / temperature - shift);
}

/** q_i of one row of scores; the twin of kdlab.losses.soften. */
export function soften(logits, temperature) {
  return logSoftmax(logits, temperature).map(Math.exp);
}

/** Entropy in nats of probabilities; 0 ln 0 is 0. */
export function entropyOf(probabilities) {
  let total = 0;
  for (const p of probabilities) if (p > 0) total -= p * Math.log(p);
  return total;
}

/** Entropy in nats of one softened row; the twin of kdlab.metrics.entropy. */
export function entropy(logits, temperature) {
  return entropyOf(soften(logits, temperature));
}

/** -ln q_target at T = 1; the twin of F.cross_entropy for one example. */
export function crossEntropy(logits, target) {
  return -logSoftmax(logits, 1)[target];
}

/** KL(teacher || student) of one example, both softened by T, without T^2. */
export function klDivergence(student, teacher, temperature) {
  const logQ = logSoftmax(student, temperature);
  const logP = logSoftmax(teacher, temperature);
  let total = 0;
  for (let i = 0; i < logP.length; i++) total += Math.exp(logP[i]) * (logP[i] - logQ[i]);
  return total;
}

/** d KL / d z_i = (q_i - p_i) / T of one example, without T^2. */
export function klGradient(student, teacher, temperature) {
  const p = soften(teacher, temperature);
  return soften(student, temperature).map((q, i) => (q - p[i]) / temperature);
}

/** d CE / d z_i = q_i - onehot_i at T = 1. */
export function crossEntropyGradient(student, target) {
  return soften(student, 1).map((q, i) => q - (i === target ? 1 : 0));
}

/** Euclidean length of a vector. */
export function norm(vector) {
  return Math.hypot(...vector);
}

/** Row `index` of a flat table. */
export function row(table, columns, index) {
  return table.subarray(index * columns, (index + 1) * columns);
}

/** Write every row's softened probabilities into `out`, a table of the same shape. */
export function softenTable(logits, classes, temperature, out) {
  for (let start = 0; start < logits.length; start += classes) {
    let top = -Infinity;
    for (let i = start; i < start + classes; i++) top = Math.max(top, logits[i]);
    let sum = 0;
    for (let i = start; i < start + classes; i++) {
      sum += out[i] = Math.exp((logits[i] - top) / temperature);
    }
    for (let i = start; i < start + classes; i++) out[i] /= sum;
  }
  return out;
}

/** Mean of the rows of each true class; the twin of kdlab.metrics.class_similarity. */
export function classSimilarity(probabilities, targets, classes) {
  const sums = new Float64Array(classes * classes);
  const counts = new Float64Array(classes);
  targets.forEach((target, example) => {
    counts[target] += 1;
    for (let i = 0; i < classes; i++) {
      sums[target * classes + i] += probabilities[example * classes + i];
    }
  });
  return sums.map((sum, i) => sum / counts[Math.floor(i / classes)]);
}

/** Examples by true class (row) and largest score; the twin of confusion_matrix. */
export function confusionMatrix(logits, targets, classes) {
  const counts = new Float64Array(classes * classes);
  targets.forEach((target, example) => {
    let best = 0;
    const scores = row(logits, classes, example);
    for (let i = 1; i < classes; i++) if (scores[i] > scores[best]) best = i;
    counts[target * classes + best] += 1;
  });
  return counts;
}

/** A number to two significant digits: 3.98 is 4, 0.1047 is 0.1. */
export function twoDigits(value) {
  return Number(value.toPrecision(2));
}

/** The smallest of 1, 2, 5, 10, 20, ... that is not below a value: the end of an axis. */
export function niceEnd(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * unit).find((end) => end >= value * (1 - 1e-9));
}

/** The smallest roomy round number that is not below a value. */
export function roomyEnd(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  // 3 * 0.1 is 0.30000000000000004, which no axis should say.
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => Number((step * unit).toPrecision(3))).find((end) => end >= value * (1 - 1e-9));
}
