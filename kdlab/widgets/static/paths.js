// What paths of assistants come to, over seeds: the twin of _paths.py and _path_words.py.

const ERRORS_APART = 2;

function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample; null of one value, which has no spread. */
export function deviationOf(values) {
  if (values.length < 2) return null;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Mean of first - second, its standard error, and whether it tells them apart. */
export function differenceOf(first, second) {
  const pairs = first.map((value, i) => value - second[i]);
  const [difference, deviation] = [meanOf(pairs), deviationOf(pairs)];
  if (deviation === null) return { difference, standardError: null, apart: false };
  const standardError = deviation / Math.sqrt(pairs.length);
  const apart = difference !== 0 && Math.abs(difference) >= ERRORS_APART * standardError;
  return { difference, standardError, apart };
}

/** 10-6-2: a path as a key. */
export function keyOf(path) {
  return path.join("-");
}

/** Every path's result, those with fewer errors first. */
export function comparePaths(results) {
  const direct = results.find(({ path }) => path.length === 2).errors;
  const means = results.map(({ errors }) => meanOf(errors));
  return results.map(({ path, errors }, i) => ({
    path,
    errors,
    mean: means[i],
    deviation: deviationOf(errors),
    ...differenceOf(errors, direct),
    rank: 1 + means.filter((mean) => mean < means[i]).length,
    networks: path.length,
    alike: results.filter((other, j) => j !== i && !differenceOf(errors, other.errors).apart)
      .map((other) => other.path),
  })).sort((a, b) => a.mean - b.mean || a.path.length - b.path.length);
}

/** Every way from the first size to the last, short ones first. */
export function everyPath(sizes) {
  const between = sizes.slice(1, -1);
  const chosen = Array.from({ length: 2 ** between.length }, (_, bits) => between.filter((_, i) => (bits >> i) & 1));
  const ways = chosen.map((some) => [sizes[0], ...some, sizes.at(-1)]);
  return ways.sort((a, b) => a.length - b.length);
}

/** How many networks all paths need, where what they begin with is trained once. */
export function networksOf(paths) {
  return new Set(paths.flatMap((path) => path.map((_, i) => keyOf(path.slice(0, i + 1))))).size;
}

/** A path over this size if it went past it, and past it if it went over it. */
export function switched(path, size) {
  const some = path.includes(size) ? path.filter((one) => one !== size) : [...path, size];
  return some.sort((a, b) => b - a);
}

/** A path with arrows; without spaces, so that no line breaks inside. */
export function arrowText(path) {
  return path.join("\u2192");
}

/** A number with so many digits after the point; a half goes up, as in Python. */
export function rounded(value, digits = 1) {
  const unit = 10 ** digits;
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return (Math.floor(value * unit + 0.5) / unit).toLocaleString("en", format);
}

/** A difference with its sign. */
export function signed(value) {
  const text = rounded(Math.abs(value));
  return text === "0.0" ? text : (value > 0 ? "+" : "\u2212") + text;
}

/** A number with its spread, where there is one. */
export function withSpread(text, deviation) {
  return deviation === null ? text : `${text} \u00b1 ${rounded(deviation)}`;
}

function verdict({ path, difference, standardError, apart }) {
  const direct = arrowText([path[0], path.at(-1)]);
  if (path.length === 2) return "The direct path itself.";
  if (standardError === null) return `${signed(difference)} beside ${direct}: not told apart, one seed has no spread.`;
  const told = `${withSpread(signed(difference), standardError)} (SE) beside ${direct}`;
  if (!apart) return `${told}: not told apart, below 2 standard errors.`;
  return `${told}: ${difference < 0 ? "fewer" : "more"} errors.`;
}

function alikeText({ alike }, compared) {
  const others = compared.length - 1;
  if (!others) return "";
  if (!alike.length) return " Told apart from every other path.";
  if (alike.length === others) return " Not told apart from any other path.";
  const keys = alike.map(keyOf);
  const listed = compared.filter(({ path }) => keys.includes(keyOf(path)));
  return ` Not told apart from ${listed.map(({ path }) => arrowText(path)).join(", ")}.`;
}

/** What a path comes to, in sentences. */
export function tellPath(path, compared, examples) {
  const between = path.length - 2;
  const assistants = between ? `${between} assistant${between > 1 ? "s" : ""}, ` : "";
  const networks = `${path.length} networks a seed: the teacher, ${assistants}the student.`;
  const result = compared.find((one) => keyOf(one.path) === keyOf(path));
  if (!result) return `${arrowText(path)}: not measured. ${networks}`;
  const seeds = result.errors.length;
  const errors = withSpread(rounded(result.mean), result.deviation);
  const share = rounded((100 * result.mean) / examples, 2);
  const over = seeds > 1 ? `over ${seeds} seeds (mean \u00b1 SD)` : "of one seed, no spread";
  return `${arrowText(path)}: ${errors} errors of ${examples.toLocaleString("en")} (${share} %) ${over}, `
    + `rank ${result.rank} of ${compared.length}. `
    + `${verdict(result)}${alikeText(result, compared)} ${networks}`;
}

/** Round numbers over a range, at most so many and at least two. */
export function ticksOver(low, high, most = 5) {
  const rough = Math.max(high - low, 1) / most;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * unit).find((one) => one >= rough * (1 - 1e-9));
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
