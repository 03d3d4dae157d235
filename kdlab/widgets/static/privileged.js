// A line fitted to labels and, where they are known, a teacher's answers.
// The twins of kdlab.privileged.regression; xs, ys, ... are plain arrays, a number an example.

/** a and b of every example; `slide` has the variances in place of their inverses. */
export function exampleWeights(known, { sigma, teacherSigma, lambda, slide = false }) {
  const power = slide ? 2 : -2;
  return {
    label: known.map((on) => (on ? 1 - lambda : 1) * sigma ** power),
    taught: known.map((on) => (on ? lambda * teacherSigma ** power : 0)),
  };
}

/** y'' and the weights of the one regression that labels and teacher come to. */
export function pseudoResponses(ys, teacher, { label, taught }) {
  const weights = label.map((a, i) => a + taught[i]);
  return { weights, responses: ys.map((y, i) => (label[i] * y + taught[i] * teacher[i]) / weights[i]) };
}

const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);

/** Sum, mean and spread of the x, weighted; `flat` where all lie in one place. */
function moments(xs, weights) {
  const mass = sumOf(weights);
  const mean = sumOf(xs.map((x, i) => weights[i] * x)) / mass;
  const spread = sumOf(xs.map((x, i) => weights[i] * (x - mean) ** 2));
  // Singular values of the weighted design, and pinv's rule for which of them are none.
  const squares = sumOf(xs.map((x, i) => weights[i] * (1 + x * x)));
  const largest = (squares + Math.sqrt(Math.max(0, squares ** 2 - 4 * mass * spread))) / 2;
  const flat = Math.sqrt((mass * spread) / largest) <= xs.length * Number.EPSILON * Math.sqrt(largest);
  return { mass, mean, spread, flat };
}

/** Constant and slope of the best line; where all x are equal, the shortest of the best. */
export function fitLine(xs, responses, weights) {
  const { mass, mean, spread, flat } = moments(xs, weights);
  const height = sumOf(responses.map((y, i) => weights[i] * y)) / mass;
  if (flat) return [1, mean].map((part) => (part * height) / (1 + mean * mean));
  const slope = sumOf(xs.map((x, i) => weights[i] * (x - mean) * (responses[i] - height))) / spread;
  return [height - slope * mean, slope];
}

/** Mean squared error of constant and slope. */
export function lineError(line, truth) {
  return line.reduce((sum, value, k) => sum + (value - truth[k]) ** 2 / 2, 0);
}

/** What it is on average over labels and answers whose noise is as `noise` says; NaN if flat. */
export function expectedError(xs, { label, taught }, noise) {
  const weights = label.map((a, i) => a + taught[i]);
  const { mass, mean, spread, flat } = moments(xs, weights);
  if (flat) return NaN;
  return sumOf(xs.map((x, i) => {
    const slope = (x - mean) / spread;
    const variance = (label[i] * noise.sigma) ** 2 + (taught[i] * noise.teacherSigma) ** 2;
    return variance * ((1 / mass - mean * slope) ** 2 + slope ** 2) / 2;
  }));
}

/** All three fits, "without", "with" and "slide", of the same points. */
export function threeFits({ points, teacher, known }, noise, truth) {
  const [xs, ys] = [0, 1].map((k) => points.map((point) => point[k]));
  const kinds = {
    without: exampleWeights(known.map(() => false), noise),
    with: exampleWeights(known, noise),
    slide: exampleWeights(known, { ...noise, slide: true }),
  };
  return Object.fromEntries(Object.entries(kinds).map(([name, terms]) => {
    const { responses, weights } = pseudoResponses(ys, teacher, terms);
    const line = fitLine(xs, responses, weights);
    const errors = { error: lineError(line, truth), expected: expectedError(xs, terms, noise) };
    return [name, { ...terms, responses, weights, line, ...errors }];
  }));
}
