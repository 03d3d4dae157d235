// Mean embeddings of two clouds under random features; the twins of explore_mmd.py.
// Points are [x, y], a network is a list of units [w, v, bias].

export const FEATURES = { linear: (value) => value, relu: (value) => Math.max(0, value) };
const CLASSES = 2;

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
/** The mean of rows, column by column. */
export const meanRow = (rows) => rows[0].map((_, k) => meanOf(rows.map((row) => row[k])));
const squared = (a, b) => a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0);

/** Random networks: both weights and the bias of each unit. */
export function drawNetworks(seed, networks, units) {
  const drawn = normals(seed, networks * units * 3);
  return Array.from({ length: networks }, (_, n) => Array.from({ length: units }, (_, u) => {
    const first = 3 * (n * units + u);
    return drawn.slice(first, first + 3);
  }));
}

/** The synthetic points stretched and turned about their mean, and that moved. */
export function placeCloud(points, realMean, { shift, stretch, turn }) {
  const middle = meanRow(points);
  const angle = (turn * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return points.map(([x, y]) => {
    const [a, b] = [stretch * (x - middle[0]), y - middle[1]];
    return [realMean[0] + shift[0] + c * a - s * b, realMean[1] + shift[1] + s * a + c * b];
  });
}

/** One row of features a point. */
export function embedPoints(points, network, feature) {
  const root = Math.sqrt(network.length);
  return points.map(([x, y]) => network.map(([w, v, bias]) => FEATURES[feature](w * x + v * y + bias) / root));
}

/** Squared distance of the mean embeddings. */
export function embeddingDistance(real, own) {
  return squared(meanRow(real), meanRow(own));
}

/** The same summed over classes. */
export function classDistance(real, targets, own, labels) {
  const of = (rows, classes, c) => rows.filter((_, i) => classes[i] === c);
  return Array.from({ length: CLASSES }, (_, c) => embeddingDistance(of(real, targets, c), of(own, labels, c)))
    .reduce((a, b) => a + b, 0);
}

/** Mean of the kernel over all pairs. */
export function pairMean(rows, others) {
  const kernel = (a, b) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  return meanOf(rows.map((row) => meanOf(others.map((other) => kernel(row, other)))));
}

/** All that is shown of one kind of features: distances by network, and what pairs come to. */
export function featureParts(real, targets, own, labels, networks, feature) {
  const sides = networks.map((network) => [real, own].map((points) => embedPoints(points, network, feature)));
  const pairs = [[0, 0], [1, 1], [0, 1]].map(([a, b]) => meanOf(sides.map((side) => pairMean(side[a], side[b]))));
  return {
    distances: sides.map(([a, b]) => embeddingDistance(a, b)),
    classDistances: sides.map(([a, b]) => classDistance(a, targets, b, labels)),
    pairs,
    mmd: pairs[0] + pairs[1] - 2 * pairs[2],
    means: sides.map((side) => side.map(meanRow)),
  };
}
