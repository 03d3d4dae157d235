// The density p(s) = C prod g_k^s_k of a teacher's answers on four supports.
// The twins of kdlab.privileged.densities; log g is a plain array, a number a class.

export const SUPPORTS = ["simplex", "cube", "orthant", "shifted orthant"];
const LOWEST = { simplex: 0, cube: 0, orthant: 0, "shifted orthant": -1 };

const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** log of the integral of exp(c s) over the simplex, by a series of positive terms. */
export function logIntegral(exponents) {
  const shift = Math.min(...exponents) - 1;
  const excess = exponents.map((c) => c - shift);
  const widest = Math.max(...excess);
  const terms = Math.ceil(widest + 9 * Math.sqrt(widest) + 30);
  // The terms are kept as logarithms, and their sum relative to the largest of them.
  let [row, log, top, sum] = [excess.map(() => 1), 0, 0, 1];
  for (let degree = 1; degree < terms; degree++) {
    let grown = 0;
    row = row.map((value, k) => (grown += excess[k] * value));
    log += Math.log(grown / (degree + excess.length - 1));
    row = row.map((value) => value / grown);
    sum = log > top ? sum * Math.exp(top - log) + 1 : sum + Math.exp(log - top);
    top = Math.max(top, log);
  }
  let factorial = 1;
  for (let k = 2; k < excess.length; k++) factorial *= k;
  return shift + top + Math.log(sum / factorial);
}

/** Mean of s_k, or with `other` of s_k s_other, under the density that is as exp(c s). */
function moment(exponents, k, other) {
  const more = other === undefined ? [] : [exponents[other]];
  const ratio = Math.exp(logIntegral([...exponents, exponents[k], ...more]) - logIntegral(exponents));
  // d/dc_k of a divided difference is the one with c_k twice; the next slope counts both.
  return other === k ? 2 * ratio : ratio;
}

/** log C, with which C prod g_k^s_k integrates to 1. */
export function logConstant(logG, support) {
  if (support === "simplex") return -logIntegral(logG);
  // Beside 1, an edge [0, 1] of the cube is the simplex of two classes.
  if (support === "cube") return -total(logG.map((l) => logIntegral([l, 0])));
  return total(logG.map((l) => Math.log(-l) - LOWEST[support] * l));
}

/** log C as the theorem prints it. */
export function publishedLogConstant(logG) {
  const classes = logG.length;
  const factor = classes * Math.log(classes) - classes * (classes - 1) * Math.LN2;
  return factor / 2 + logConstant(logG, "shifted orthant");
}

/** Where the density is highest. */
export function modeAnswer(logG, support) {
  if (support !== "simplex") return logG.map(() => LOWEST[support]);
  const best = Math.max(...logG);
  const equal = logG.filter((l) => l === best).length;
  return logG.map((l) => (l === best ? 1 / equal : 0));
}

/** The mean of s. */
export function meanAnswer(logG, support) {
  if (support === "simplex") return logG.map((_, k) => moment(logG, k));
  if (support === "cube") return logG.map((l) => moment([l, 0], 0));
  return logG.map((l) => LOWEST[support] - 1 / l);
}

/** Covariance of s: how its mean moves with each log g_k. */
function covariance(logG, support, mean) {
  const diagonal = (of) => logG.map((l, i) => logG.map((_, j) => (i === j ? of(l, i) : 0)));
  if (support === "simplex") {
    return logG.map((_, i) => logG.map((_, j) => moment(logG, i, j) - mean[i] * mean[j]));
  }
  if (support === "cube") return diagonal((l, i) => moment([l, 0], 0, 0) - mean[i] ** 2);
  return diagonal((l) => 1 / l ** 2);
}

/** The student's cross-entropy against the teacher's answer, - sum s_k log g_k. */
export function answerCrossEntropy(s, logG) {
  return -total(s.map((share, k) => share * logG[k]));
}

/** Slope and curvature of -log p(s) by the logits of g, the last one held. */
function misfitShape(s, logG, support) {
  const g = logG.map(Math.exp);
  const mean = meanAnswer(logG, support);
  const residual = mean.map((m, k) => m - s[k]);
  const pull = total(residual);
  const spread = covariance(logG, support, mean);
  const jacobian = (k, j) => (k === j ? 1 : 0) - g[j];
  const curve = (i, j) => {
    let value = -pull * g[i] * ((i === j ? 1 : 0) - g[j]);
    spread.forEach((line, k) => line.forEach((c, l) => { value += jacobian(k, i) * c * jacobian(l, j); }));
    return value;
  };
  return { slope: [0, 1].map((j) => residual[j] - g[j] * pull), curve: [curve(0, 0), curve(0, 1), curve(1, 1)] };
}

/** A damped Newton step, or null where the damped curvature still bends the wrong way. */
function newtonStep({ slope: [u, v], curve: [a, b, c] }, damping) {
  const [p, q] = [a + damping, c + damping];
  const size = p * q - b * b;
  if (!(p > 0 && size > 0)) return null;
  return [(b * v - q * u) / size, (b * u - p * v) / size];
}

/** The nearest low point of -log p(s), going down from these logits. */
function descend(s, support, start) {
  const loss = (logG) => answerCrossEntropy(s, logG) - logConstant(logG, support);
  let logits = start;
  let logG = [...logSoftmax(logits, 1)];
  let [value, damping] = [loss(logG), 0];
  for (let round = 0; round < 300; round++) {
    const shape = misfitShape(s, logG, support);
    const step = newtonStep(shape, damping);
    const moved = step && logits.map((z, k) => z + (step[k] ?? 0));
    const next = moved && [...logSoftmax(moved, 1)];
    const after = next ? loss(next) : Infinity;
    if (step && after <= value) {
      const small = Math.max(...step.map((x, k) => Math.abs(x) / (1 + Math.abs(logits[k])))) < 1e-9;
      [logits, logG, value] = [moved, next, after];
      if (small && damping < 1e-6) break;
      damping = damping < 1e-12 ? 0 : damping / 10;
    } else {
      // Close to the minimum the value itself is rounding.
      if (step && after - value < 1e-14 * (1 + Math.abs(value))) break;
      damping = damping ? damping * 4 : 1e-6;
    }
  }
  return { logG, value };
}

/**
 * Where the search begins: at g = s, and on the orthant, where there may be several low points,
 * once for each class that takes what the others leave of 1, they as their own axis has it.
 */
function starts(s, support) {
  const plain = s.map(Math.log);
  if (support !== "orthant") return [plain];
  const free = s.map((share) => -1 / share);
  const others = (k) => total(free.filter((_, j) => j !== k).map(Math.exp));
  return [plain, ...s.map((_, k) => free.map((l, j) => (j === k ? Math.log1p(-others(k)) : l)))];
}

/** log g of the student, of three classes, under which the answer s has the highest density. */
export function likeliestStudent(s, support) {
  const found = starts(s, support).map((start) => descend(s, support, start));
  return found.reduce((best, one) => (one.value < best.value ? one : best)).logG;
}

/** The nearest shares to any three numbers of sum 1: none below `least`, sum 1. */
export function clampShares(shares, least) {
  const above = shares.map((share) => Math.max(0, share - least));
  const scale = (1 - least * shares.length) / total(above);
  return above.map((share) => least + scale * share);
}
