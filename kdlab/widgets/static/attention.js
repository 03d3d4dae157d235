// Attention maps of activations: the twins of kdlab.losses.attention_map and its loss.

const EPS = 2 ** -52;

/** Sum over channels of |A|^p at each place, as a vector of length 1; zeros where silent. */
export function attentionMap(activations, channels, power) {
  const places = activations.length / channels;
  const energies = new Float64Array(places);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < places; i++) energies[i] += Math.abs(activations[c * places + i]) ** power;
  }
  const length = Math.hypot(...energies);
  return length > EPS ? energies.map((energy) => energy / length) : energies.fill(0);
}

/** Squared Euclidean distance of two maps. */
export function mapDistance(first, second) {
  return first.reduce((sum, value, i) => sum + (value - second[i]) ** 2, 0);
}
