// The losses on distances and angles of a few points in a plane, with their gradients.
// The twins of kdlab.losses.rkd_distance_loss and rkd_angle_loss; points are [[x, y], ...].

const huber = (x) => (Math.abs(x) < 1 ? (x * x) / 2 : Math.abs(x) - 0.5);
const slope = (x) => Math.max(-1, Math.min(1, x));
const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];

/** Distances of all pairs, and their mean over the pairs that are apart (1 if none is). */
export function distanceTable(points) {
  const table = points.map((a) => points.map((b) => Math.hypot(...minus(a, b))));
  const apart = table.flat().filter((d) => d > 0);
  return { table, count: apart.length, mean: apart.length ? apart.reduce((s, d) => s + d, 0) / apart.length : 1 };
}

/** The loss on distances, each side by its own mean, and its gradient on the student. */
export function distanceLoss(student, teacher) {
  const [mine, wanted] = [distanceTable(student), distanceTable(teacher)];
  const n = student.length;
  let [value, common] = [0, 0];
  const pulls = mine.table.map((line, i) => line.map((d, j) => {
    const gap = d / mine.mean - wanted.table[i][j] / wanted.mean;
    value += huber(gap) / (n * n);
    common += (slope(gap) * d) / (n * n * mine.mean ** 2);
    return slope(gap) / (n * n * mine.mean);
  }));
  const gradient = student.map(() => [0, 0]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const d = mine.table[i][j];
      if (!d) continue;
      // A longer distance makes the mean longer, too.
      const pull = (pulls[i][j] - common / mine.count) / d;
      const way = minus(student[i], student[j]);
      for (const k of [0, 1]) {
        gradient[i][k] += pull * way[k];
        gradient[j][k] -= pull * way[k];
      }
    }
  }
  return { value, gradient };
}

/** Unit vectors from point i to every other; null where they coincide. */
function rays(points, i) {
  return points.map((point) => {
    const way = minus(point, points[i]);
    const length = Math.hypot(...way);
    return length ? { unit: [way[0] / length, way[1] / length], length } : null;
  });
}

/** The loss on the angles of all triples, and its gradient on the student. */
export function angleLoss(student, teacher) {
  const n = student.length;
  const gradient = student.map(() => [0, 0]);
  let value = 0;
  for (let i = 0; i < n; i++) {
    const [mine, wanted] = [rays(student, i), rays(teacher, i)];
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        const [a, b] = [mine[j], mine[k]];
        const target = wanted[j] && wanted[k] ? dot(wanted[j].unit, wanted[k].unit) : 0;
        const cosine = a && b ? dot(a.unit, b.unit) : 0;
        value += huber(cosine - target) / n ** 3;
        if (!a || !b || j === k) continue;
        const pull = slope(cosine - target) / n ** 3;
        for (const c of [0, 1]) {
          const atJ = (pull * (b.unit[c] - cosine * a.unit[c])) / a.length;
          const atK = (pull * (a.unit[c] - cosine * b.unit[c])) / b.length;
          gradient[j][c] += atJ;
          gradient[k][c] += atK;
          gradient[i][c] -= atJ + atK;
        }
      }
    }
  }
  return { value, gradient };
}

/** Points turned by an angle about their mean, enlarged from it, and moved. */
export function transformed(points, { turn = 0, scale = 1, shift = [0, 0] }) {
  const middle = [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length);
  const [c, s] = [scale * Math.cos(turn), scale * Math.sin(turn)];
  return points.map((point) => {
    const [x, y] = minus(point, middle);
    return [middle[0] + c * x - s * y + shift[0], middle[1] + s * x + c * y + shift[1]];
  });
}
