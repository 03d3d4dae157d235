// How long the teacher's gradient is at every T, with and without T^2.

const TEMPERATURES = Array.from({ length: 121 }, (_, i) => 10 ** (-1 + i / 40));

/** Length of the teacher's gradient at T, without lambda. */
export function gradientLength(student, teacher, temperature, squared) {
  return norm(klGradient(student, teacher, temperature)) * (squared ? temperature ** 2 : 1);
}

/** What |T^2 gradient| tends to as T grows: |z~ - v~| / N of centred logits. */
export function limitLength(student, teacher) {
  const gaps = Float64Array.from(student, (z, i) => z - teacher[i]);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return norm(gaps.map((gap) => gap - mean)) / gaps.length;
}

/** Length of the teacher's gradient over T, both axes logarithmic and fixed. */
export function lengthCurves(parent) {
  const [left, top, width, height] = [40, 8, 268, 150];
  const [low, high] = [-6, 2];
  const chart = drawing(parent, [370, 198], "Length of the teacher's gradient over T");
  const x = (T) => left + (width * (Math.log10(T) + 1)) / 3;
  const y = (value) => {
    const share = (Math.log10(value) - low) / (high - low);
    return top + height * (1 - Math.min(1, Math.max(0, share)));
  };
  for (const T of [0.1, 1, 10, 100]) {
    svg("line", { class: "kd-grid", x1: x(T), x2: x(T), y1: top, y2: top + height }, chart);
    svg("text", { class: "kd-tick", x: x(T), y: top + height + 15, "text-anchor": "middle" }, chart, String(T));
  }
  for (const power of [-6, -4, -2, 0, 2]) {
    const at = y(10 ** power);
    svg("line", { class: "kd-grid", x1: left, x2: left + width, y1: at, y2: at }, chart);
    svg("text", { class: "kd-tick", x: left - 6, y: at + 4, "text-anchor": "end" }, chart, power ? `1e${power}` : "1");
  }
  svg("text", { class: "kd-tick", x: left + width / 2, y: top + height + 32, "text-anchor": "middle" }, chart, "temperature T");
  const limit = svg("line", { class: "kd-limit", x1: left, x2: left + width }, chart);
  const dashed = { class: "kd-tick", x: left + 8, y: top + height - 8 };
  svg("text", dashed, chart, "dashed: limit of T\u00b2 |gradient|, |z\u0303 \u2212 \u1e7d| / N");
  const curves = [false, true].map((squared) => ({
    squared,
    path: svg("path", { class: "kd-line-teacher", fill: "none" }, chart),
    name: svg("text", { x: left + width + 6 }, chart, squared ? "with T\u00b2" : "without"),
  }));
  const marker = svg("circle", { r: 5.5, class: "kd-marker" }, chart);
  function reset(student, teacher) {
    for (const { squared, path, name } of curves) {
      const ys = TEMPERATURES.map((T) => y(gradientLength(student, teacher, T, squared)));
      path.setAttribute("d", "M" + TEMPERATURES.map((T, i) => `${x(T).toFixed(1)} ${ys[i].toFixed(1)}`).join("L"));
      name.setAttribute("y", ys[ys.length - 1] + 4);
    }
    const at = y(limitLength(student, teacher));
    limit.setAttribute("y1", at);
    limit.setAttribute("y2", at);
  }
  function update(temperature, length, squared) {
    for (const curve of curves) curve.path.classList.toggle("kd-dim", curve.squared !== squared);
    marker.setAttribute("cx", x(temperature));
    marker.setAttribute("cy", y(length));
    marker.setAttribute("data-value", length);
  }
  return { reset, update };
}
